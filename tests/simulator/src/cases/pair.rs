//! Two inputs read by the same tasks: merged, branched, and met in one transform.

use std::collections::BTreeMap;

use headwater_core::{Cx, Failure, On, Output, Setup, Topology, Transform, Tumbling, Value, seconds};
use serde::{Deserialize, Serialize};

use super::events::{self, Event, Seen, add, sums, windowed};
use super::{Case, Compare, End, Expected, GRACE, Item, WINDOW};
use crate::dice::Dice;

pub struct Pair;

impl Case for Pair {
    fn name(&self) -> &'static str {
        "pair"
    }

    fn topology(&self, t: &mut Topology) {
        let left = t.input::<String, Event>("left").out_of_order(seconds(10));
        let right = t.input::<String, Event>("right").out_of_order(seconds(10));
        let both = left.merge(&right);
        both.window(Tumbling::of(seconds(10)).grace(seconds(2))).fold("windows", add).to("windows");
        let (even, odd) = both.branch(|event| event.amount % 2 == 0);
        even.fold("even", add).to("even");
        odd.fold("odd", add).to("odd");
        let right = right.map(|event| Right { amount: event.amount });
        left.transform::<Meet>("meet").and(&right).output(|meet| &meet.met).to("met");
    }

    fn inputs(&self) -> &'static [&'static str] {
        &["left", "right"]
    }

    fn streams(&self) -> &'static [&'static str] {
        &["left", "right"]
    }

    fn feed(&self, dice: &mut Dice, partitions: i32) -> Vec<Item> {
        events::feed(dice, &["left", "right"], partitions)
    }

    fn timed(&self) -> &'static [(&'static str, i64)] {
        &[("windows", WINDOW + GRACE)]
    }

    fn expected(&self, _partitions: i32, items: &[Item], _end: &End) -> Vec<Expected> {
        let seen = events::seen(items);
        let key = |one: &Seen<'_>, parity: i64| (one.event.amount % 2 == parity).then(|| one.event.key.clone().into_bytes());
        let window = |one: &Seen<'_>| (!one.is_late()).then(|| windowed(one.event.key.as_bytes(), one.window()));
        let (mut met, mut records) = (BTreeMap::<&str, (i64, i64)>::new(), Vec::new());
        for (item, event) in items.iter().filter_map(|item| Some((item, item.event.as_ref()?))) {
            let sides = met.entry(&event.key).or_default();
            match item.topic {
                "left" => sides.0 += event.amount,
                _ => sides.1 += event.amount,
            }
            records.push((event.key.clone().into_bytes(), format!("[{},{}]", sides.0, sides.1)));
        }
        vec![
            sums("windows", (Compare::Newest, true), &seen, window),
            sums("even", (Compare::Newest, false), &seen, |one| key(one, 0)),
            sums("odd", (Compare::Newest, false), &seen, |one| key(one, 1)),
            Expected { output: "met", compare: Compare::Newest, timed: false, records },
        ]
    }
}

#[derive(Serialize, Deserialize)]
struct Right {
    amount: i64,
}

struct Meet {
    sides: Value<(i64, i64)>,
    met: Output<(i64, i64)>,
}

impl Meet {
    fn add(&self, left: i64, right: i64, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        let sides = self.sides.update(cx, |sides| {
            let (l, r) = sides.unwrap_or_default();
            (l + left, r + right)
        })?;
        self.met.send(cx, &sides)
    }
}

impl Transform for Meet {
    type Key = String;

    fn setup(s: &mut Setup<Self>) -> Self {
        Meet { sides: s.value("sides"), met: s.output("met") }
    }
}

impl On<Event> for Meet {
    fn on(&mut self, event: &Event, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        self.add(event.amount, 0, cx)
    }
}

impl On<Right> for Meet {
    fn on(&mut self, event: &Right, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        self.add(0, event.amount, cx)
    }
}
