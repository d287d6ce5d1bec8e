//! How workers stand towards a hand-over, and what follows for event time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use headwater_core::engine::{EngineOptions, Hold, Posture};
use headwater_core::port::{Log, Stores};
use headwater_core::{
    Blueprint, Cx, Failure, Fired, On, OnTimer, Output, Setup, Timer, Timestamp, TopicPartition, Topology, Transform,
};
use headwater_testkit::{LocalProcess, MemoryLog, MemoryStores, prepare};

/// An hour: what is told before is told for another reason than that it is time.
const NEVER: Duration = Duration::from_secs(3600);
const IDLE: Duration = Duration::from_secs(5);

/// Rings 10 s after each event.
struct Alarm {
    timer: Timer,
    rung: Output<i64>,
}

impl Transform for Alarm {
    type Key = String;
    fn setup(s: &mut Setup<Self>) -> Self {
        Alarm { timer: s.timer("timer"), rung: s.output("rung") }
    }
}

impl On<i64> for Alarm {
    fn on(&mut self, _event: &i64, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        self.timer.at(cx, cx.timestamp() + Duration::from_secs(10))
    }
}

impl OnTimer for Alarm {
    fn on_timer(&mut self, fired: Fired, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        self.rung.send(cx, &fired.at().as_millis())
    }
}

/// Alarms in the same task and behind a repartition.
fn topology(t: &mut Topology) {
    let events = t.input::<String, i64>("events");
    events.transform::<Alarm>("near").output(|alarm| &alarm.rung).to("near");
    let by_value = events.rekey("by-value", |value| value.to_string());
    by_value.transform::<Alarm>("far").output(|alarm| &alarm.rung).to("far");
}

struct World {
    log: MemoryLog,
    process: LocalProcess,
}

impl World {
    fn new(markers: Duration) -> World {
        let log = MemoryLog::new();
        log.create_topic("events", 2);
        World::on(log, topology, markers)
    }

    fn on(log: MemoryLog, topology: fn(&mut Topology), markers: Duration) -> World {
        let plan = prepare(&Blueprint::of("app", topology).unwrap(), &log).unwrap();
        let (port, stores): (Arc<dyn Log>, Arc<dyn Stores>) = (Arc::new(log.clone()), Arc::new(MemoryStores::new()));
        let options = EngineOptions { marker_interval: markers, idle_timeout: IDLE, ..EngineOptions::default() };
        let process = LocalProcess::start_with(&plan, &port, &stores, "a", 1, &options).unwrap();
        World { log, process }
    }

    /// An event in each of these partitions.
    fn send(&mut self, partitions: &[i32], second: i64) {
        for partition in partitions {
            self.log.append("events", *partition, Some(b"k"), Some(b"1"), Timestamp::from_millis(second * 1000));
        }
        self.process.settle().unwrap();
    }

    fn stand(&mut self, posture: &Posture) {
        self.process.workers_mut()[0].set_posture(posture).unwrap();
        self.process.settle().unwrap();
    }

    fn hold(&mut self, hold: Hold) {
        self.stand(&Posture { hold, ..Posture::default() });
    }

    fn said(&self, topic: &str) -> usize {
        (0..2).map(|partition| self.log.read_all(topic, partition, true).len()).sum()
    }

    fn settled(&self) -> BTreeSet<String> {
        self.process.workers()[0].settled().iter().map(TopicPartition::to_string).collect()
    }
}

#[test]
fn what_falls_due_at_a_cut_is_said_before_it_stands() {
    let mut world = World::new(NEVER);
    world.send(&[0, 1], 0);
    world.send(&[0, 1], 30);
    assert_eq!((world.said("near"), world.said("far")), (2, 0), "downstream nobody has heard of the time");
    assert_eq!(world.settled(), BTreeSet::new(), "nothing is held");
    world.hold(Hold::Inputs);
    assert_eq!(world.said("far"), 1);
    let all = ["events-0", "events-1", "app-by-value-repartition-0", "app-by-value-repartition-1"];
    assert_eq!(world.settled(), all.map(str::to_owned).into());
}

/// It is committed again even if nothing has happened: so the log knows that it is still this worker's.
#[test]
fn whoever_stands_has_committed_for_this_attempt() {
    let mut world = World::new(NEVER);
    world.send(&[0, 1], 0);
    for attempt in [1, 2] {
        let attempt = Some(Timestamp::from_millis(attempt));
        world.process.workers_mut()[0].set_posture(&Posture { hold: Hold::Inputs, attempt, ..Posture::default() }).unwrap();
        assert_eq!(world.settled(), BTreeSet::new());
        world.process.settle().unwrap();
        assert_eq!(world.settled().len(), 4);
    }
}

#[test]
fn nothing_becomes_idle_while_inputs_are_held() {
    let mut world = World::new(Duration::ZERO);
    world.send(&[0], 0);
    world.send(&[0], 30);
    assert_eq!(world.said("far"), 0, "the other partition is waited for");
    for (hold, expected) in [(Hold::Inputs, 0), (Hold::Everything, 0), (Hold::Nothing, 1)] {
        world.hold(hold);
        world.process.advance(IDLE * 2);
        world.process.settle().unwrap();
        world.process.advance(IDLE * 2);
        world.process.settle().unwrap();
        assert_eq!(world.said("far"), expected, "{hold:?}");
    }
}

#[test]
fn event_time_does_not_pass_what_the_other_generation_has_committed() {
    let mut world = World::new(Duration::ZERO);
    let limits = |near: &str, far: &str| {
        let partitions = |topic: &str| [0, 1].map(|partition| TopicPartition::new(topic, partition));
        let near = partitions("events").map(|partition| (partition, near.to_owned()));
        let far = partitions("app-by-value-repartition").map(|partition| (partition, far.to_owned()));
        let limits: BTreeMap<TopicPartition, String> = near.into_iter().chain(far).collect();
        Posture { limits: Some(Arc::new(limits)), ..Posture::default() }
    };
    // Nothing, 9.999 s and 10 s, as they are committed (`core::task::clock`).
    let (nothing, before, then) = ("", ["1s:7pr@0", "1r:7pr,0@0"], ["1s:7ps@0", "1r:7ps,0@0"]);
    world.stand(&limits(nothing, nothing));
    world.send(&[0, 1], 0);
    world.send(&[0, 1], 30);
    for (posture, expected) in [
        (limits(nothing, nothing), (0, 0)),
        (limits(before[0], before[1]), (0, 0)),
        (limits(then[0], nothing), (2, 0)),
        (limits(then[0], before[1]), (2, 0)),
        (limits(then[0], then[1]), (2, 1)),
    ] {
        world.stand(&posture);
        assert_eq!((world.said("near"), world.said("far")), expected, "{posture:?}");
    }
    world.send(&[0, 1], 60);
    assert_eq!((world.said("near"), world.said("far")), (2, 1));
    world.stand(&Posture::default());
    assert_eq!((world.said("near"), world.said("far")), (4, 2), "nothing limits it any more");
}

/// Rows that come later are for those who come later: what has been confirmed does not move.
#[test]
fn a_table_is_held_when_it_has_been_read_once() {
    let log = MemoryLog::new();
    ["events", "names"].iter().for_each(|topic| log.create_topic(topic, 1));
    let row = |key: &str| {
        log.append("names", 0, Some(key.as_bytes()), Some(b"\"n\""), Timestamp::from_millis(0));
    };
    let topology = |t: &mut Topology| {
        let names = t.table::<String, String>("names");
        t.input::<String, i64>("events").join("named", &names, |_, name| name.clone()).to("named");
    };
    ["a", "b", "c"].into_iter().for_each(row);
    for more in ["d", "e"] {
        // With a disk of its own.
        let mut world = World::on(log.clone(), topology, NEVER);
        world.hold(Hold::Inputs);
        assert_eq!(world.settled(), ["events-0", "names-0"].map(str::to_owned).into());
        let committed = log.committed("app", &TopicPartition::new("names", 0)).unwrap();
        assert_eq!((committed.offset, committed.metadata.as_str()), (3, "1t"), "before row {more}");
        row(more);
        world.process.settle().unwrap();
        world.process.stop().unwrap();
    }
}
