//! Commits that nobody waits for: without transactions a worker goes on while one is under way.

#[path = "flights/watched.rs"]
mod watched;

use std::sync::Arc;
use std::time::Duration;

use headwater_core::engine::{EngineOptions, Hold, Posture, Worker};
use headwater_core::port::{Log, LogError, Stores};
use headwater_core::{Blueprint, Plan, Timestamp, TopicPartition, Topology};
use headwater_testkit::{Call, Delays, Fault, LocalProcess, MemoryLog, prepare};
use watched::WatchedStores;

const INTERVAL: Duration = Duration::from_millis(100);
const NOTHING: Delays = Delays { acknowledgements: false, answers: false };
const ACKNOWLEDGEMENTS: Delays = Delays { acknowledgements: true, answers: false };
const ANSWERS: Delays = Delays { acknowledgements: false, answers: true };

fn count(t: &mut Topology) {
    t.input::<String, i64>("events").count("counts").to("totals");
}

struct World {
    log: MemoryLog,
    plan: Arc<Plan>,
    stores: WatchedStores,
    process: LocalProcess,
    sent: i64,
}

impl World {
    fn new(partitions: i32) -> World {
        let log = MemoryLog::new();
        log.create_topic("events", partitions);
        let plan = prepare(&Blueprint::of("app", count).unwrap(), &log).unwrap();
        let stores = WatchedStores::default();
        let process = start(&plan, &log, &stores);
        let mut world = World { log, plan, stores, process, sent: 0 };
        world.work(8);
        world
    }

    /// One record for each partition.
    fn send(&mut self) {
        for partition in 0..self.partitions() {
            self.log.append("events", partition, Some(b"k"), Some(b"1"), Timestamp::from_millis(self.sent));
        }
        self.sent += 1;
    }

    fn partitions(&self) -> i32 {
        i32::try_from(self.plan.tasks().len()).unwrap()
    }

    fn work(&mut self, rounds: usize) {
        for _ in 0..rounds {
            self.process.work().unwrap();
        }
    }

    /// Processes one more record and lets the time come at which it is to be committed.
    fn begin(&mut self) {
        self.send();
        self.work(2);
        self.process.advance(INTERVAL);
        self.work(1);
    }

    fn is_committing(&self) -> bool {
        self.process.workers()[0].is_committing()
    }

    fn totals(&self) -> Vec<i64> {
        let records = (0..self.partitions()).flat_map(|partition| self.log.read_all("totals", partition, true));
        records.map(|record| std::str::from_utf8(&record.value.unwrap()).unwrap().parse().unwrap()).collect()
    }

    /// The committed positions of the partitions.
    fn positions(&self) -> Vec<i64> {
        let at = |partition| self.log.committed("app", &TopicPartition::new("events", partition));
        (0..self.partitions()).map(|partition| at(partition).map_or(0, |committed| committed.offset)).collect()
    }

    /// What the stores of the tasks have reached of their changelogs, as far as they have anything.
    fn checkpoints(&self) -> Vec<i64> {
        self.plan.tasks().iter().map(|task| self.stores.reached(task)).collect()
    }

    fn changes(&self, partition: i32) -> usize {
        self.log.read_all("app-counts-changelog", partition, true).len()
    }

    fn fail(&self, call: Call, error: &LogError) {
        self.log.inject(Fault { transactional_id: None, call, error: error.clone() });
    }
}

fn start(plan: &Arc<Plan>, log: &MemoryLog, stores: &WatchedStores) -> LocalProcess {
    let (log, stores): (Arc<dyn Log>, Arc<dyn Stores>) = (Arc::new(log.clone()), Arc::new(stores.clone()));
    LocalProcess::start_at_least_once(plan, &log, &stores, 1).unwrap()
}

#[test]
fn processing_goes_on_and_nothing_is_committed_while_acknowledgements_are_late() {
    let mut world = World::new(1);
    world.log.delay(ACKNOWLEDGEMENTS);
    world.begin();
    assert!(world.is_committing());
    for _ in 0..5 {
        world.begin();
    }
    assert_eq!(world.totals(), [1, 2, 3, 4, 5, 6], "each on top of what is under way");
    assert_eq!((world.positions(), world.checkpoints(), world.changes(0)), (vec![0], vec![0], 1));

    world.log.delay(NOTHING);
    world.work(1);
    assert!(!world.is_committing());
    assert_eq!((world.positions(), world.checkpoints(), world.changes(0)), (vec![1], vec![1], 1), "what it covered, and no more");
    world.work(2);
    assert_eq!((world.positions(), world.checkpoints(), world.changes(0)), (vec![6], vec![2], 2));
}

#[test]
fn changes_are_sent_and_followed_some_in_each_round() {
    const KEYS: i64 = 200;
    let mut world = World::new(2);
    world.log.delay(ANSWERS);
    for (number, partition) in (0..KEYS).flat_map(|number| [(number, 0), (number, 1)]) {
        let key = format!("k{number}");
        world.log.append("events", partition, Some(key.as_bytes()), Some(b"1"), Timestamp::from_millis(number));
    }
    world.work(4);
    world.process.advance(INTERVAL);
    let mut seen = Vec::new();
    for _ in 0..4 {
        world.work(1);
        seen.push((world.changes(0), world.changes(1)));
    }
    // 128 at a time.
    assert_eq!(seen, [(0, 0), (128, 0), (200, 56), (200, 184)]);
    world.work(4);
    assert_eq!((world.positions(), world.checkpoints()), (vec![KEYS, KEYS], vec![0, 0]), "the answer is late");
    world.log.delay(NOTHING);
    let mut seen = Vec::new();
    while world.is_committing() {
        world.work(1);
        seen.push(world.checkpoints());
        let last = world.process.workers()[0].read_state(&world.plan.tasks()[1], "counts", b"k199").unwrap();
        assert!(last.is_some(), "wherever it is at the moment");
    }
    assert_eq!(seen, [vec![0, 0], vec![KEYS, 0], vec![KEYS, 0], vec![KEYS, KEYS]]);
}

#[test]
fn positions_are_not_committed_before_what_they_cover_is_acknowledged() {
    let mut world = World::new(2);
    world.log.delay(ACKNOWLEDGEMENTS);
    world.begin();
    world.work(5);
    assert_eq!(world.positions(), [0, 0]);
    world.log.delay(ANSWERS);
    world.work(1);
    assert_eq!((world.positions(), world.checkpoints()), (vec![1, 1], vec![0, 0]));
}

/// Whatever fails, and wherever: what is read again is what was not committed, and nothing is lost.
#[test]
fn a_failure_of_a_commit_under_way_begins_again_where_it_was_committed() {
    let errors = [
        LogError::Retriable("away".into()),
        LogError::AbortTransaction("no".into()),
        LogError::Fenced("another".into()),
        LogError::Unusable("lost".into()),
    ];
    for call in [Call::Flush, Call::Commit, Call::Answer] {
        for error in &errors {
            let mut world = World::new(2);
            world.begin();
            world.work(4);
            assert_eq!((world.positions(), world.is_committing()), (vec![1, 1], false));
            world.log.delay(if call == Call::Answer { ANSWERS } else { ACKNOWLEDGEMENTS });
            world.begin();
            // Not covered by it.
            world.send();
            world.work(2);
            assert!(world.is_committing(), "{call:?} {error:?}");
            world.fail(call, error);
            world.log.delay(NOTHING);
            world.process.settle().unwrap();
            let report = world.process.workers_mut()[0].take_report();
            assert_eq!(report.aborted.len(), 1, "{call:?} {error:?}: {:?}", report.aborted);
            assert_eq!(world.positions(), [3, 3], "{call:?} {error:?}");
            // The change of the commit that failed was written; its record is counted again unless its position was, too.
            let expected = if call == Call::Answer { 3 } else { 4 };
            assert_eq!(world.totals().iter().max(), Some(&expected), "{call:?} {error:?}");
            for task in world.plan.tasks() {
                let value = world.process.workers()[0].read_state(&task, "counts", b"k").unwrap().unwrap();
                assert!(value.ends_with(expected.to_string().as_bytes()), "{call:?} {error:?}: {value:?}");
            }
        }
    }
}

#[test]
fn a_clean_stop_waits_for_the_end() {
    for delays in [ACKNOWLEDGEMENTS, ANSWERS] {
        let mut world = World::new(2);
        world.log.delay(delays);
        world.begin();
        world.send();
        world.work(2);
        assert!(world.is_committing());
        let World { log, plan, stores, process, .. } = world;
        process.stop().unwrap();
        let process = start(&plan, &log, &stores);
        let world = World { log, plan, stores, process, sent: 2 };
        assert_eq!((world.positions(), world.checkpoints()), (vec![2, 2], vec![2, 2]), "{delays:?}");
    }
}

#[test]
fn after_a_crash_what_was_under_way_is_done_again() {
    let mut world = World::new(1);
    world.log.delay(ACKNOWLEDGEMENTS);
    world.begin();
    world.send();
    world.work(2);
    let World { log, plan, stores, process, sent } = world;
    drop(process);
    log.delay(NOTHING);
    log.members("app").iter().for_each(|member| assert!(log.expire_member("app", &member.id)));
    let process = start(&plan, &log, &stores);
    let mut world = World { log, plan, stores, process, sent };
    world.process.settle().unwrap();
    // The first record's change had been written, and its position had not: it counts twice.
    assert_eq!((world.positions(), world.totals()), (vec![2], vec![1, 2, 2, 3]));
}

#[test]
fn state_that_would_not_fit_waits_for_the_end() {
    let mut world = World::new(1);
    let options = EngineOptions { dirty_bytes: 1000, marker_interval: Duration::ZERO, ..EngineOptions::default() };
    let (log, stores): (Arc<dyn Log>, Arc<dyn Stores>) = (Arc::new(world.log.clone()), Arc::new(world.stores.clone()));
    world.process.workers_mut()[0] = Worker::new(Arc::clone(&world.plan), log, stores, options).unwrap();
    let worker = &mut world.process.workers_mut()[0];
    worker.start(world.plan.tasks()[0].clone()).unwrap();
    world.work(1);
    world.log.delay(ACKNOWLEDGEMENTS);
    let send = |number: i64| {
        let key = format!("k{number}");
        world.log.append("events", 0, Some(key.as_bytes()), Some(b"1"), Timestamp::from_millis(number));
    };
    (0..4).for_each(send);
    world.process.work().unwrap();
    assert!(world.process.workers()[0].is_committing(), "half of the room is taken");
    (4..8).for_each(send);
    world.process.work().unwrap();
    assert_eq!(world.log.committed("app", &TopicPartition::new("events", 0)).unwrap().offset, 4, "it was waited for");
}

#[test]
fn a_new_posture_waits_for_the_end_and_is_committed_under_anew() {
    let mut world = World::new(1);
    world.log.delay(ACKNOWLEDGEMENTS);
    world.begin();
    let worker = &mut world.process.workers_mut()[0];
    worker.set_posture(&Posture { hold: Hold::Everything, ..Posture::default() }).unwrap();
    assert!(!worker.is_committing() && worker.settled().is_empty());
    assert!(worker.has_work_to_commit(), "that it stands there is to be committed under the posture");
    world.process.advance(INTERVAL);
    world.work(1);
    let worker = &world.process.workers()[0];
    assert!(!worker.is_committing(), "somebody waits for it");
    assert_eq!((worker.settled().len(), world.positions()), (1, vec![1]));
}
