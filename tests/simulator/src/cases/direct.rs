//! Everything in one task, so that every update is determined, not only the last: a fold, windows, joins with a table.

use headwater_core::{Topology, Tumbling, partition_for, seconds};
use headwater_testkit::MemoryLog;

use super::events::{self, Event, Seen, add, sums, windowed};
use super::{Case, Compare, End, Expected, GRACE, Item, ROWS_TIME, WINDOW};
use crate::dice::Dice;

pub struct Direct;

/// The rows of the table: some keys have none, one had one.
fn name_of(key: &str) -> Option<String> {
    matches!(key, "k0" | "k1" | "k2").then(|| format!("name of {key}"))
}

impl Case for Direct {
    fn name(&self) -> &'static str {
        "direct"
    }

    fn topology(&self, t: &mut Topology) {
        let names = t.table::<String, String>("names");
        let events = t.input::<String, Event>("events").out_of_order(seconds(10));
        events.fold("sums", add).to("sums");
        events.window(Tumbling::of(seconds(10)).grace(seconds(2))).fold("windows", add).to("windows");
        events.join("named", &names, |event, name| (name.clone(), event.amount)).to("named");
        events.left_join("maybe-named", &names, |event, name| (name.cloned(), event.amount)).to("maybe-named");
    }

    fn inputs(&self) -> &'static [&'static str] {
        &["events", "names"]
    }

    fn fill(&self, log: &MemoryLog, partitions: i32) {
        for key in ["k0", "k1", "k2", "k3"] {
            let partition = partition_for(Some(key.as_bytes()), partitions, 0);
            let name = name_of(key).map(|name| format!("{name:?}"));
            for value in [Some("\"an old name\""), name.as_deref()] {
                log.append("names", partition, Some(key.as_bytes()), value.map(str::as_bytes), ROWS_TIME);
            }
        }
    }

    fn feed(&self, dice: &mut Dice, partitions: i32) -> Vec<Item> {
        let events = events::feed(dice, &["events"], partitions);
        events::with_rows(dice, events, partitions, |number| {
            let key = format!("k{number}");
            let name = name_of(&key);
            (key, name)
        })
    }

    fn timed(&self) -> &'static [(&'static str, i64)] {
        &[("windows", WINDOW + GRACE)]
    }

    fn expected(&self, _partitions: i32, items: &[Item], _end: &End) -> Vec<Expected> {
        let seen = events::seen(items);
        let window = |one: &Seen<'_>| (!one.is_late()).then(|| windowed(one.event.key.as_bytes(), one.window()));
        let (mut named, mut maybe) = (Vec::new(), Vec::new());
        for event in seen.iter().map(|one| one.event) {
            let (key, name) = (event.key.clone().into_bytes(), name_of(&event.key));
            let shown = name.as_ref().map_or_else(|| String::from("null"), |name| format!("{name:?}"));
            maybe.push((key.clone(), format!("[{shown},{}]", event.amount)));
            named.extend(name.map(|name| (key, format!("[{name:?},{}]", event.amount))));
        }
        vec![
            sums("sums", (Compare::Sequence, false), &seen, |one| Some(one.event.key.clone().into_bytes())),
            sums("windows", (Compare::Sequence, true), &seen, window),
            Expected { output: "named", compare: Compare::Sequence, timed: false, records: named },
            Expected { output: "maybe-named", compare: Compare::Sequence, timed: false, records: maybe },
        ]
    }
}
