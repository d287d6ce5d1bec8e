//! One topology with everything whose result is promised not to depend on the schedule.

use std::collections::BTreeMap;

use headwater_core::{
    Cx, Failure, Fired, Map, On, OnTimer, Output, Setup, Timer, Timestamp, Topology, Transform, Tumbling, partition_for, seconds,
};
use headwater_testkit::MemoryLog;

use super::events::{self, Event, FLUSH, Seen, add, sums, windowed};
use super::{Case, Compare, End, Expected, GRACE, Item, ROWS_TIME, WINDOW};
use crate::dice::Dice;

/// How long after an event its timer is due.
const DELAY: i64 = 5_000;
/// How long after it the first of the two timers that make up this time is due.
const FIRST: i64 = 1_000;

pub struct Everything;

/// Which groups have a name in the table.
fn name_of(group: &str) -> Option<String> {
    (group != "g3").then(|| format!("name of {group}"))
}

impl Case for Everything {
    fn name(&self) -> &'static str {
        "everything"
    }

    fn topology(&self, t: &mut Topology) {
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

    fn inputs(&self) -> &'static [&'static str] {
        &["events", "names"]
    }

    fn fill(&self, log: &MemoryLog, partitions: i32) {
        for group in 0..4 {
            let group = format!("g{group}");
            let partition = partition_for(Some(group.as_bytes()), partitions, 0);
            let name = name_of(&group).map(|name| format!("{name:?}"));
            for value in [Some("\"an old name\""), name.as_deref()] {
                log.append("names", partition, Some(group.as_bytes()), value.map(str::as_bytes), ROWS_TIME);
            }
        }
    }

    fn feed(&self, dice: &mut Dice, partitions: i32) -> Vec<Item> {
        let events = events::feed(dice, &["events"], partitions);
        events::with_rows(dice, events, partitions, |number| {
            let group = format!("g{number}");
            let name = name_of(&group);
            (group, name)
        })
    }

    fn timed(&self) -> &'static [(&'static str, i64)] {
        &[("direct", WINDOW + GRACE), ("hits", WINDOW + GRACE), ("gaps-first", 0), ("gaps-second", 0)]
    }

    fn expected(&self, partitions: i32, items: &[Item], end: &End) -> Vec<Expected> {
        let seen = events::seen(items);
        let in_time = |one: &Seen<'_>| !one.is_late();
        let direct = |one: &Seen<'_>| in_time(one).then(|| windowed(one.event.key.as_bytes(), one.window()));
        let hits = |one: &Seen<'_>| in_time(one).then(|| windowed(one.event.group.as_bytes(), one.window()));
        let totals = |one: &Seen<'_>| Some(one.event.group.clone().into_bytes());
        let (mut joined, mut classes) = (Vec::new(), BTreeMap::<i64, u64>::new());
        for event in seen.iter().map(|one| one.event).filter(|event| event.group != FLUSH) {
            let Some(name) = name_of(&event.group) else { continue };
            joined.push((event.group.clone().into_bytes(), format!("[{name:?},{}]", event.amount)));
            *classes.entry(event.amount % 3).or_default() += 1;
        }
        let classes = classes.into_iter().map(|(class, count)| (class.to_be_bytes().to_vec(), count.to_string()));
        vec![
            sums("direct", (Compare::Sequence, true), &seen, direct),
            sums("hits", (Compare::Newest, true), &seen, hits),
            sums("totals", (Compare::Newest, false), &seen, totals),
            Expected { output: "joined", compare: Compare::Multiset, timed: false, records: joined },
            Expected { output: "classes", compare: Compare::Newest, timed: false, records: classes.collect() },
            Expected { output: "gaps", compare: Compare::Multiset, timed: true, records: gaps(&seen, partitions, end) },
        ]
    }
}

fn gaps(seen: &[Seen<'_>], partitions: i32, end: &End) -> Vec<(Vec<u8>, String)> {
    let mut times: BTreeMap<(String, i64), u64> = BTreeMap::new();
    for one in seen.iter().filter(|one| one.watermark <= one.event.time) {
        *times.entry((one.event.group.clone(), one.event.time)).or_default() += 1;
    }
    let gap = |((group, time), count): (&(String, i64), &u64)| {
        let followed: u64 = times.range((group.clone(), time + 1)..(group.clone(), time + DELAY)).map(|(_, count)| count).sum();
        (group.clone().into_bytes(), format!("[{time},{count},{followed}]"))
    };
    let reached: Vec<i64> = (0..partitions).map(|partition| reached(seen, &times, partition, partitions, end)).collect();
    let is_due = |group: &str, time: i64| reached[partition_of(group, partitions)] >= time + DELAY;
    times.iter().filter(|((group, time), _)| group != FLUSH && is_due(group, *time)).map(gap).collect()
}

fn partition_of(group: &str, partitions: i32) -> usize {
    partition_for(Some(group.as_bytes()), partitions, 0) as usize
}

/// How far event time comes in the task of the groups at this partition.
fn reached(seen: &[Seen<'_>], times: &BTreeMap<(String, i64), u64>, partition: i32, partitions: i32, end: &End) -> i64 {
    let window_closes = |one: &Seen<'_>| one.window() + WINDOW + GRACE;
    let promise = |upstream: i32| {
        let its = || seen.iter().filter(move |one| one.partition == upstream);
        let closed = its().filter(|one| end.closes() && !one.is_late()).map(window_closes).max();
        its().map(|one| one.watermark).chain(closed).max().unwrap_or(i64::MIN)
    };
    let is_idle = |upstream: &i32| end.is_idle("events", *upstream);
    let time = (0..partitions).filter(|upstream| !is_idle(upstream)).map(promise).min().unwrap_or(i64::MIN);
    match end {
        End::Passed => i64::MAX,
        End::Bounded { closes: false, .. } => time,
        End::Bounded { closes: true, .. } => {
            let is_here = |group: &str| partition_of(group, partitions) == partition as usize;
            let windows = seen.iter().filter(|one| !one.is_late() && is_here(&one.event.group)).map(window_closes);
            // Of each pair of timers the one that is set by then.
            let timers = times.keys().filter(|(group, _)| is_here(group));
            let timers = timers.map(|(_, moment)| if moment + FIRST <= time { moment + DELAY } else { moment + FIRST });
            windows.chain(timers).max().unwrap_or(time).max(time)
        }
    }
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
