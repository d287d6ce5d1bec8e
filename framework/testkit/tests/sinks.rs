//! Delivering to systems outside of the log: at least once, whatever fails, and in silence to nobody.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_core::bounded::{Bounded, SinkStanding, Span, TimeRange};
use headwater_core::engine::{EngineError, EngineOptions, Posture};
use headwater_core::port::{Delivery, Log, LogError, Sink, SinkError, SinkWriter, Stores};
use headwater_core::{Blueprint, Plan, ReplayEffect, Timestamp, TopicPartition, Topology};
use headwater_testkit::{Call, Delays, Fault, LocalProcess, MemoryLog, MemoryStores, SinkCall, TestDriver, TestSink, prepare};

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1000)
}

/// An application that counts, writes the counts and delivers them.
struct World {
    log: MemoryLog,
    sink: TestSink,
    plan: Arc<Plan>,
}

impl World {
    fn new(effect: ReplayEffect) -> World {
        let (log, sink) = (MemoryLog::new(), TestSink::new(effect));
        log.create_topic("events", 1);
        let plan = prepare(&World::blueprint("app", &sink), &log).unwrap();
        World { log, sink, plan }
    }

    fn blueprint(app: &str, sink: &TestSink) -> Arc<Blueprint> {
        let sink = sink.clone();
        let topology = move |t: &mut Topology| {
            let counts = t.input::<String, u64>("events").count("counts");
            counts.to("totals");
            counts.deliver("mail", sink);
        };
        Blueprint::of(app, topology).unwrap()
    }

    fn process(&self, id: &str) -> LocalProcess {
        self.process_of(&self.plan, id)
    }

    fn process_of(&self, plan: &Arc<Plan>, id: &str) -> LocalProcess {
        let (log, stores): (Arc<dyn Log>, Arc<dyn Stores>) = (Arc::new(self.log.clone()), Arc::new(MemoryStores::new()));
        LocalProcess::start_with(plan, &log, &stores, id, 1, &EngineOptions::default()).unwrap()
    }

    fn send(&self, seconds: std::ops::Range<i64>) {
        for second in seconds {
            self.log.append("events", 0, Some(b"k"), Some(b"1"), at(second));
        }
    }

    fn position(&self) -> i64 {
        self.log.committed("app", &TopicPartition::new("events", 0)).map_or(0, |committed| committed.offset)
    }

    fn arrived(&self) -> Vec<u64> {
        self.sink.arrived::<String, u64>().into_iter().map(|out| out.value).collect()
    }

    fn calls(&self, kind: &SinkCall) -> usize {
        let same = |call: &&SinkCall| std::mem::discriminant(*call) == std::mem::discriminant(kind);
        self.sink.calls().iter().filter(same).count()
    }
}

#[test]
fn each_record_is_delivered_with_its_key_and_time() {
    let mail = TestSink::new(ReplayEffect::Forbidden);
    let mut driver = TestDriver::with_partitions("app", 3, |t| {
        t.input::<String, u64>("events").filter(|value| *value > 1).deliver("mail", mail.clone());
    });
    for (key, value) in [("a", 1), ("b", 2), ("c", 3)] {
        driver.send("events", &key.to_owned(), &value, at(value));
    }
    let arrived = mail.arrived::<String, i64>();
    let arrived: Vec<_> = arrived.iter().map(|out| (out.key.as_str(), out.value, out.timestamp)).collect();
    assert_eq!(arrived, [("b", 2, at(2)), ("c", 3, at(3))]);
    driver.restart();
    driver.send("events", &"a".to_owned(), &4, at(4));
    assert_eq!(mail.arrived::<String, u64>().len(), 3);
}

#[test]
fn without_transactions_a_commit_of_what_was_delivered_is_waited_for() {
    let world = World::new(ReplayEffect::Idempotent);
    let (log, stores): (Arc<dyn Log>, Arc<dyn Stores>) = (Arc::new(world.log.clone()), Arc::new(MemoryStores::new()));
    let mut process = LocalProcess::start_at_least_once(&world.plan, &log, &stores, 1).unwrap();
    for _ in 0..8 {
        process.work().unwrap();
    }
    world.log.delay(Delays { acknowledgements: true, answers: true });
    world.send(0..3);
    for _ in 0..2 {
        process.work().unwrap();
    }
    assert_eq!((world.arrived().len(), world.position()), (0, 0), "handed over, and not flushed yet");
    process.advance(EngineOptions::default().commit_interval);
    process.work().unwrap();
    assert!(!process.workers()[0].is_committing());
    assert_eq!((world.arrived(), world.position()), (vec![1, 2, 3], 3));
}

#[test]
fn what_it_takes_is_made_lasting_before_the_position_moves_on() {
    let world = World::new(ReplayEffect::Idempotent);
    world.send(0..3);
    let mut process = world.process("a");
    world.sink.fail(SinkCall::Flush, SinkError::Retriable("away".into()));
    while world.calls(&SinkCall::Flush) == 0 {
        assert_eq!((world.arrived().len(), world.position()), (0, 0));
        process.turn().unwrap();
    }
    assert_eq!((world.arrived().len(), world.position()), (0, 0), "the flush failed, so nothing is committed");
    assert!(world.log.read_all("totals", 0, true).is_empty(), "what was written was taken back, too");
    assert_eq!(world.calls(&SinkCall::Discard), 1);
    process.settle().unwrap();
    assert_eq!((world.arrived(), world.position()), (vec![1, 2, 3], 3), "each of them once, because a flush failed as a whole");
    assert_eq!(world.calls(&SinkCall::Open(String::new())), 1, "the writer outlives the abort");

    // The other way round: it arrived, and the commit behind it failed.
    let transactional_id = Some("app-a-0".to_owned());
    world.log.inject(Fault { transactional_id, call: Call::Commit, error: LogError::AbortTransaction("unlucky".into()) });
    world.send(3..5);
    process.settle().unwrap();
    assert_eq!((world.arrived(), world.position()), (vec![1, 2, 3, 4, 5, 4, 5], 5), "again, but none is missing");
}

#[test]
fn a_crash_loses_nothing() {
    for turns in 0..6 {
        let world = World::new(ReplayEffect::Idempotent);
        world.send(0..3);
        let mut process = world.process("a");
        for _ in 0..turns {
            process.work().unwrap();
        }
        drop(process);
        world.log.members("app").iter().for_each(|member| assert!(world.log.expire_member("app", &member.id)));
        let mut heir = world.process("a");
        heir.settle().unwrap();
        let mut arrived = world.arrived();
        arrived.dedup();
        assert!(arrived.ends_with(&[1, 2, 3]), "{turns} turns: {arrived:?}");
        assert_eq!(world.position(), 3);
    }
}

#[test]
fn what_may_pass_is_tried_again_and_what_may_not_has_a_name() {
    for call in [SinkCall::Open(String::new()), SinkCall::Deliver, SinkCall::Flush] {
        let world = World::new(ReplayEffect::Idempotent);
        world.send(0..2);
        let mut process = world.process("a");
        (0..3).for_each(|_| world.sink.fail(call.clone(), SinkError::Retriable("busy".into())));
        process.settle().unwrap();
        assert_eq!((world.arrived(), world.position()), (vec![1, 2], 2), "{call:?}");
        let aborted = process.workers_mut()[0].take_report().aborted;
        assert_eq!(aborted.len(), 3, "{call:?}");
        assert!(
            aborted[0].starts_with("sink \"mail\" of task events-0 failed to ") && aborted[0].ends_with(": busy"),
            "{aborted:?}"
        );
        // A writer has been opened by now.
        if call != SinkCall::Open(String::new()) {
            world.send(2..4);
            world.sink.fail(call.clone(), SinkError::Fatal("nobody of that name".into()));
            let error = process.settle().unwrap_err();
            let is_named =
                matches!(&error, EngineError::Sink { sink, task, .. } if sink == "mail" && task.to_string() == "events-0");
            assert!(is_named && error.to_string().contains("nobody of that name"), "{error}");
            assert_eq!((world.arrived(), world.position()), (vec![1, 2], 2), "{call:?}");
        }
    }
}

#[test]
fn what_a_sink_panics_with_stops_the_worker_in_order() {
    struct Broken;
    impl Sink for Broken {
        fn replay_effect(&self) -> ReplayEffect {
            ReplayEffect::Forbidden
        }
        fn open(&self, _task: &str) -> Result<Box<dyn SinkWriter>, SinkError> {
            Ok(Box::new(Broken))
        }
    }
    impl SinkWriter for Broken {
        fn deliver(&mut self, _delivery: Delivery<'_>) -> Result<(), SinkError> {
            panic!("out of ink")
        }
        fn flush(&mut self) -> Result<(), SinkError> {
            Ok(())
        }
        fn discard(&mut self) {}
    }
    let log = MemoryLog::new();
    log.create_topic("events", 1);
    let blueprint = Blueprint::of("app", |t| t.input::<String, u64>("events").deliver("printer", Broken)).unwrap();
    let plan = prepare(&blueprint, &log).unwrap();
    log.append("events", 0, Some(b"k"), Some(b"1"), at(0));
    let (log, stores): (Arc<dyn Log>, Arc<dyn Stores>) = (Arc::new(log), Arc::new(MemoryStores::new()));
    let error = LocalProcess::start(&plan, &log, &stores, "a", 1).unwrap().settle().unwrap_err();
    assert!(
        matches!(&error, EngineError::Sink { message, doing: "deliver", .. } if message == "panicked: out of ink"),
        "{error}"
    );
}

#[test]
fn a_record_that_fails_is_not_delivered() {
    let mail = TestSink::new(ReplayEffect::Idempotent);
    let mut driver = TestDriver::new("app", |t| {
        let events = t.input::<String, u64>("events").on_error(headwater_core::Policy::Skip);
        events.deliver("mail", mail.clone());
        events.map(|value| assert_ne!(*value, 2, "two")).to("out");
    });
    (1..4_u64).for_each(|value| driver.send("events", &"k".to_owned(), &value, at(0)));
    let arrived: Vec<u64> = mail.arrived::<String, u64>().iter().map(|out| out.value).collect();
    assert_eq!(arrived, [1, 3], "its delivery came before the failure, and went with it");
}

#[test]
fn who_is_silent_delivers_nothing_and_who_follows_nothing_that_is_forbidden() {
    for (effect, follows, silent, expected) in [
        (ReplayEffect::Idempotent, true, true, vec![3]),
        (ReplayEffect::Forbidden, true, true, vec![3]),
        (ReplayEffect::Forbidden, true, false, vec![3]),
        (ReplayEffect::Idempotent, true, false, vec![1, 2, 3]),
    ] {
        let world = World::new(effect);
        world.send(0..2);
        let mut process = world.process("a");
        let posture = Posture { silent, follows, ..Posture::default() };
        process.workers_mut()[0].set_posture(&posture).unwrap();
        process.settle().unwrap();
        assert_eq!(world.calls(&SinkCall::Open(String::new())), usize::from(expected.len() > 1));
        process.workers_mut()[0].set_posture(&Posture::default()).unwrap();
        world.send(2..3);
        process.settle().unwrap();
        assert_eq!(world.arrived(), expected, "{effect:?}, silent: {silent}");
    }
}

#[test]
fn a_bounded_run_delivers_what_belongs_to_its_range_to_whom_it_may() {
    let span = Span { start: 0, end: 6 };
    for (effect, standing, expected, counted) in [
        (ReplayEffect::Idempotent, Some(SinkStanding::Connected), vec![3, 4], (2, 0)),
        (ReplayEffect::Transactional, Some(SinkStanding::Connected), vec![3, 4], (2, 0)),
        (ReplayEffect::Forbidden, Some(SinkStanding::Allowed), vec![3, 4], (2, 0)),
        (ReplayEffect::Forbidden, Some(SinkStanding::Withheld), vec![], (0, 2)),
        // It was planned when the sink was another, or did not exist.
        (ReplayEffect::Forbidden, Some(SinkStanding::Connected), vec![], (0, 2)),
        (ReplayEffect::Idempotent, Some(SinkStanding::Silent), vec![], (0, 0)),
        (ReplayEffect::Idempotent, None, vec![], (0, 0)),
    ] {
        let world = World::new(effect);
        world.send(0..6);
        let plan = prepare(&World::blueprint("app.run", &world.sink), &world.log).unwrap();
        let spans = BTreeMap::from([(TopicPartition::new("events", 0), span)]);
        let bounds = Bounded {
            says: TimeRange { from: at(2), to: at(4) },
            sinks: standing.map(|standing| ("mail".to_owned(), standing)).into_iter().collect(),
            ..Bounded::of(spans)
        };
        let mut process = world.process_of(&plan.within(bounds), "run");
        process.settle().unwrap();
        let report = process.workers_mut()[0].take_report();
        let (delivered, withheld) = report.delivered.first().map_or((0, 0), |(_, delivered, withheld)| (*delivered, *withheld));
        assert_eq!((world.arrived(), (delivered, withheld)), (expected.clone(), counted), "{effect:?} {standing:?}");
        assert!(!expected.is_empty() || world.sink.calls().is_empty(), "not even opened: {:?}", world.sink.calls());
    }
}

#[test]
fn a_sink_has_a_name_of_its_own() {
    let check = |describe: &dyn Fn(&mut Topology, TestSink), expected: &str| {
        let error = Blueprint::of("app", |t: &mut Topology| describe(t, TestSink::new(ReplayEffect::Idempotent))).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    check(
        &|t, sink| {
            let events = t.input::<String, u64>("events");
            events.deliver("mail", sink.clone());
            events.deliver("mail", sink);
        },
        "used twice (by a sink and by a sink)",
    );
    check(
        &|t, sink| {
            let events = t.input::<String, u64>("events");
            events.deliver("mail", sink);
            events.to("mail");
        },
        "is a sink and also a topic that is written",
    );
    check(&|t, sink| t.input::<String, u64>("events").deliver("to whom", sink), "cannot be the name of a sink");
}
