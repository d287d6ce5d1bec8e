//! Records that cannot be decoded, or on which user code fails or panics after it has written: they are left out without a trace.

use headwater_core::{Cx, Failure, On, Output, Policy, Setup, Topology, Transform, Value, seconds};

use super::events::{self, Event, sums};
use super::{Case, Compare, End, Expected, Item};
use crate::dice::Dice;

/// User code fails on these amounts.
const FAILS: i64 = 77;
const PANICS: i64 = 78;
/// What the failure says, in reports.
pub const FAILURE: &str = "refused after a write";

pub struct BadRecords;

impl Case for BadRecords {
    fn name(&self) -> &'static str {
        "bad-records"
    }

    fn topology(&self, t: &mut Topology) {
        let events = t.input::<String, Event>("events").out_of_order(seconds(10)).on_error(Policy::Skip);
        events.fold("sums", events::add).to("sums");
        events.transform::<Fragile>("fragile").output(|fragile| &fragile.seen).to("seen");
    }

    fn inputs(&self) -> &'static [&'static str] {
        &["events"]
    }

    fn feed(&self, dice: &mut Dice, partitions: i32) -> Vec<Item> {
        let mut items = events::feed(dice, &["events"], partitions);
        for item in &mut items {
            spoil(dice, item);
        }
        items
    }

    fn expected(&self, _partitions: i32, items: &[Item], _end: &End) -> Vec<Expected> {
        let seen = events::seen(items);
        let key = |one: &events::Seen<'_>| Some(one.event.key.clone().into_bytes());
        let sums = |output| sums(output, (Compare::Sequence, false), &seen, key);
        vec![sums("sums"), sums("seen")]
    }
}

/// Makes a third of the records bad, each in its own way.
fn spoil(dice: &mut Dice, item: &mut Item) {
    let mut with_amount = |amount: i64| {
        let event = item.event.take().map(|event| Event { amount, ..event });
        item.value = serde_json::to_vec(&event).ok();
    };
    match dice.below(18) {
        0 => with_amount(FAILS),
        1 => with_amount(PANICS),
        2 => (item.event, item.value) = (None, Some(b"{".to_vec())),
        3 => (item.event, item.key) = (None, Some(vec![0xff])),
        4 => (item.event, item.key) = (None, None),
        5 => (item.event, item.value) = (None, None),
        6 => (item.event, item.time) = (None, -1),
        _ => {}
    }
}

struct Fragile {
    sum: Value<events::Sum>,
    seen: Output<events::Sum>,
}

impl Transform for Fragile {
    type Key = String;

    fn setup(s: &mut Setup<Self>) -> Self {
        Fragile { sum: s.value("sum"), seen: s.output("seen") }
    }
}

impl On<Event> for Fragile {
    fn on(&mut self, event: &Event, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        let (count, sum, ids) = self.sum.get(cx)?.unwrap_or_default();
        let sum = (count + 1, sum + event.amount, ids ^ event.mixed());
        self.sum.put(cx, &sum)?;
        self.seen.send(cx, &sum)?;
        match event.amount {
            FAILS => Err(Failure::new(FAILURE)),
            // A panic, but without the message that a panic prints.
            PANICS => std::panic::resume_unwind(Box::new("on purpose")),
            _ => Ok(()),
        }
    }
}
