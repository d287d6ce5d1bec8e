//! One topology with everything whose result is promised not to depend on the schedule.

use headwater_core::{
    At, Blueprint, Cx, Failure, Fired, Map, On, OnTimer, Output, Setup, Timer, Timestamp, Topology, Transform, Tumbling, seconds,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub const APP: &str = "app";
/// The out-of-orderness bound of the input, in milliseconds.
pub const BOUND: i64 = 10_000;
pub const WINDOW: i64 = 10_000;
pub const GRACE: i64 = 2_000;
/// How long after an event its timer is due.
pub const DELAY: i64 = 5_000;
pub const OUTPUTS: [&str; 6] = ["direct", "hits", "totals", "joined", "classes", "gaps"];

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub key: String,
    pub group: String,
    pub time: i64,
    pub amount: i64,
}

/// Which groups have a name in the table.
pub fn name_of(group: &str) -> Option<String> {
    (group != "g3").then(|| format!("name of {group}"))
}

pub fn blueprint() -> Arc<Blueprint> {
    Blueprint::of(APP, topology).unwrap()
}

type Sum = (u64, i64);

fn add<K>((count, sum): &mut Sum, event: &Event, _at: &At<'_, K>) -> Option<Sum> {
    (*count, *sum) = (*count + 1, *sum + event.amount);
    Some((*count, *sum))
}

fn topology(t: &mut Topology) {
    let windows = Tumbling::of(seconds(10)).grace(seconds(2));
    let names = t.table::<String, String>("names");
    let events = t.input::<String, Event>("events").out_of_order(seconds(10));
    events.window(windows).fold("direct", add).to("direct");
    let grouped = events.rekey("by-group", |event| event.group.clone());
    grouped.window(windows).fold("hits", add).to("hits");
    grouped.fold("totals", add).to("totals");
    let joined = grouped.join("named", &names, |event, name| (name.clone(), event.amount));
    joined.to("joined");
    joined.rekey("by-class", |(_, amount)| amount % 3).count("classes").to("classes");
    grouped.transform::<Gaps>("gaps").output(|gaps| &gaps.found).to("gaps");
}

/// Says for each moment at which a group had events, some time later: how many, and how many followed within that time. Two
/// timers at different distances, so that one's handler can set what is due before another that is set already.
struct Gaps {
    times: Map<Timestamp, u64>,
    first: Timer,
    second: Timer,
    found: Output<(i64, u64, u64)>,
}

impl Transform for Gaps {
    type Key = String;

    fn setup(s: &mut Setup<Self>) -> Self {
        Gaps { times: s.map("times"), first: s.timer("first"), second: s.timer("second"), found: s.output("found") }
    }
}

impl On<Event> for Gaps {
    fn on(&mut self, _event: &Event, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        let time = cx.timestamp();
        // A late event may find its timer fired or not, as it happens.
        if cx.watermark() > time {
            return Ok(());
        }
        let count = self.times.get(cx, &time)?.unwrap_or(0);
        self.times.put(cx, &time, &(count + 1))?;
        self.first.at(cx, time + seconds(1))
    }
}

impl OnTimer for Gaps {
    fn on_timer(&mut self, fired: Fired, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        if fired.by(&self.first) {
            return self.second.at(cx, fired.at() + seconds(4));
        }
        let time = fired.at() - seconds(5);
        let after = Timestamp::from_millis(time.as_millis() + 1);
        let count = self.times.get(cx, &time)?.unwrap_or(0);
        let followed =
            self.times.range(cx, after..fired.at())?.map(|entry| entry.map(|(_, count)| count)).sum::<Result<u64, _>>()?;
        self.found.send(cx, &(time.as_millis(), count, followed))
    }
}
