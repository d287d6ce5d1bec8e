//! A queue, a sorted map and a value per key, with entries that go again.

use std::collections::{BTreeMap, VecDeque};

use headwater_core::{Cx, Failure, List, Map, On, Output, Setup, Topology, Transform, Value, seconds};

use super::events::{self, Event};
use super::{Case, Compare, End, Expected, Item};
use crate::dice::Dice;

/// Longest queue.
const LENGTH: usize = 3;
/// An entry of the map goes when it is greater.
const MOST: i64 = 20;
/// The value goes when it can be divided by this.
const DIVISOR: i64 = 5;

pub struct Collections;

impl Case for Collections {
    fn name(&self) -> &'static str {
        "collections"
    }

    fn topology(&self, t: &mut Topology) {
        let events = t.input::<String, Event>("events").out_of_order(seconds(10));
        events.transform::<Hoard>("hoard").output(|hoard| &hoard.shown).to("shown");
    }

    fn inputs(&self) -> &'static [&'static str] {
        &["events"]
    }

    fn feed(&self, dice: &mut Dice, partitions: i32) -> Vec<Item> {
        events::feed(dice, &["events"], partitions)
    }

    fn expected(&self, _partitions: i32, items: &[Item], _end: &End) -> Vec<Expected> {
        let mut hoards: BTreeMap<&str, (VecDeque<i64>, BTreeMap<i64, i64>, i64)> = BTreeMap::new();
        let records = items.iter().filter_map(|item| item.event.as_ref()).map(|event| {
            let (queue, classes, total) = hoards.entry(&event.key).or_default();
            queue.push_back(event.amount);
            if queue.len() > LENGTH {
                queue.pop_front();
            }
            let class = classes.entry(event.amount % 3).or_default();
            *class += event.amount;
            classes.retain(|_, sum| *sum <= MOST);
            *total = if (*total + event.amount) % DIVISOR == 0 { 0 } else { *total + event.amount };
            let classes: Vec<(i64, i64)> = classes.iter().map(|(class, sum)| (*class, *sum)).collect();
            let shown = serde_json::to_string(&(&queue, classes, &total)).expect("numbers can be written");
            (event.key.clone().into_bytes(), shown)
        });
        vec![Expected { output: "shown", compare: Compare::Sequence, timed: false, records: records.collect() }]
    }
}

type Shown = (Vec<i64>, Vec<(i64, i64)>, i64);

struct Hoard {
    queue: List<i64>,
    classes: Map<i64, i64>,
    total: Value<i64>,
    shown: Output<Shown>,
}

impl Transform for Hoard {
    type Key = String;

    fn setup(s: &mut Setup<Self>) -> Self {
        Hoard { queue: s.list("queue"), classes: s.map("classes"), total: s.value("total"), shown: s.output("shown") }
    }
}

impl On<Event> for Hoard {
    fn on(&mut self, event: &Event, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        self.queue.push(cx, &event.amount)?;
        if self.queue.len(cx)? > LENGTH as u64 {
            self.queue.pop_front(cx)?;
        }
        let class = event.amount % 3;
        let sum = self.classes.get(cx, &class)?.unwrap_or(0) + event.amount;
        if sum > MOST {
            self.classes.remove(cx, &class)?;
        } else {
            self.classes.put(cx, &class, &sum)?;
        }
        let mut total = self.total.get(cx)?.unwrap_or(0) + event.amount;
        if total % DIVISOR == 0 {
            self.total.remove(cx)?;
            total = 0;
        } else {
            self.total.put(cx, &total)?;
        }
        let queue = self.queue.iter(cx)?.collect::<Result<_, _>>()?;
        let classes = self.classes.entries(cx)?.collect::<Result<_, _>>()?;
        self.shown.send(cx, &(queue, classes, total))
    }
}
