//! Timers that are set, moved and cancelled: each key has one, some time after its last event.

use std::collections::{BTreeMap, BTreeSet};

use headwater_core::{Cx, Failure, Fired, On, OnTimer, Output, Setup, Timer, Timestamp, Topology, Transform, Value, seconds};

use super::events::{self, Event};
use super::{Case, Compare, End, Expected, Item};
use crate::dice::Dice;

const DELAY: i64 = 5_000;

pub struct Reminders;

impl Case for Reminders {
    fn name(&self) -> &'static str {
        "reminders"
    }

    fn topology(&self, t: &mut Topology) {
        let events = t.input::<String, Event>("events").out_of_order(seconds(10));
        events.transform::<Remind>("remind").output(|remind| &remind.reminded).to("reminded");
    }

    fn inputs(&self) -> &'static [&'static str] {
        &["events"]
    }

    fn feed(&self, dice: &mut Dice, partitions: i32) -> Vec<Item> {
        events::feed(dice, &["events"], partitions)
    }

    fn timed(&self) -> &'static [(&'static str, i64)] {
        &[("remind-timer", 0)]
    }

    fn expected(&self, partitions: i32, items: &[Item], end: &End) -> Vec<Expected> {
        let mut records = Vec::new();
        for partition in 0..partitions {
            let (mut due, mut timers) = (BTreeMap::<&str, i64>::new(), BTreeSet::<(i64, &str)>::new());
            for one in events::seen(items).iter().filter(|one| one.partition == partition) {
                let (key, time) = (one.event.key.as_str(), one.event.time + DELAY);
                if let Some(before) = due.insert(key, time) {
                    timers.remove(&(before, key));
                }
                timers.insert((time, key));
                while let Some((time, key)) = timers.first().copied().filter(|(time, _)| *time <= one.watermark) {
                    timers.remove(&(time, key));
                    due.remove(key);
                    records.push((key.as_bytes().to_vec(), time.to_string()));
                }
            }
            let left = timers.into_iter().filter(|_| end.closes());
            records.extend(left.map(|(time, key)| (key.as_bytes().to_vec(), time.to_string())));
        }
        vec![Expected { output: "reminded", compare: Compare::Sequence, timed: true, records }]
    }
}

struct Remind {
    due: Value<i64>,
    timer: Timer,
    reminded: Output<i64>,
}

impl Transform for Remind {
    type Key = String;

    fn setup(s: &mut Setup<Self>) -> Self {
        Remind { due: s.value("due"), timer: s.timer("timer"), reminded: s.output("reminded") }
    }
}

impl On<Event> for Remind {
    fn on(&mut self, event: &Event, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        if let Some(before) = self.due.get(cx)? {
            self.timer.cancel(cx, Timestamp::from_millis(before))?;
        }
        let due = event.time + DELAY;
        self.due.put(cx, &due)?;
        self.timer.at(cx, Timestamp::from_millis(due))
    }
}

impl OnTimer for Remind {
    fn on_timer(&mut self, fired: Fired, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        self.due.remove(cx)?;
        self.reminded.send(cx, &fired.at().as_millis())
    }
}
