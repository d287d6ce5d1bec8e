//! The workloads as anybody would write them.

use headwater::prelude::*;
use headwater_benches::model::{Counted, Event, Joined, Kind, Mapped, Profile, Sum, Total, WindowTotal};
use headwater_benches::{Binary, GRACE, REPARTITION, STORE, TABLE, WINDOW, Workload};

/// What a workload computes from `input`, with its results in `output`; W7 counts by so many digits of a memo.
pub(crate) fn describe(t: &mut Topology, (workload, memo_digits): (Workload, usize), input: &str, output: &str) {
    let events = t.input::<String, Event>(input);
    match workload {
        Workload::W1 => events.filter(|event| !event.amount.is_multiple_of(10)).map(mapped).to(output),
        Workload::W2 | Workload::W5 | Workload::W6 => events.fold_as::<Binary, _, _>(STORE, total).to(output),
        Workload::W3 => events.window(Tumbling::of(WINDOW).grace(GRACE)).fold_as::<Binary, _, _>(STORE, window_total).to(output),
        Workload::W4 => {
            let profiles = t.table::<String, Profile>(TABLE);
            events.join("with-profile", &profiles, joined).to(output);
        }
        Workload::W7 => {
            let memos = events.rekey(REPARTITION, move |event| event.memo[..memo_digits].to_owned());
            memos.fold_as::<Binary, _, _>(STORE, counted).to(output);
        }
    }
}

fn mapped(event: &Event) -> Mapped {
    let (cents, kind) = (event.amount * 100, Kind::of(event.amount));
    Mapped { id: event.id, account: event.account.clone(), cents, ts: event.ts, kind }
}

fn total(sum: &mut Sum, event: &Event, at: &At<'_, String>) -> Option<Total> {
    *sum = sum.plus(event.amount);
    Some(Total { account: at.key().clone(), count: sum.count, sum: sum.sum })
}

fn window_total(sum: &mut Sum, event: &Event, at: &At<'_, String>) -> Option<WindowTotal> {
    *sum = sum.plus(event.amount);
    let window = at.window()?.start().as_millis();
    Some(WindowTotal { account: at.key().clone(), window, count: sum.count, sum: sum.sum })
}

fn joined(event: &Event, profile: &Profile) -> Joined {
    let (account, tier) = (event.account.clone(), profile.tier.clone());
    Joined { id: event.id, account, amount: event.amount, ts: event.ts, tier, region: profile.region }
}

fn counted(count: &mut u64, _event: &Event, at: &At<'_, String>) -> Option<Counted> {
    *count += 1;
    Some(Counted { memo: at.key().clone(), count: *count })
}
