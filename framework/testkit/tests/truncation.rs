//! A changelog that loses its uncommitted tail and gives the offsets again, as an election of an unclean leader may have it.

use std::sync::Arc;

use headwater_core::port::{Log, Producer, ProducerConfig, Stores};
use headwater_core::{Blueprint, Outgoing, Plan, TaskId, Timestamp, Topology};
use headwater_testkit::{LocalProcess, MemoryLog, MemoryStores, prepare};

const CHANGELOG: &str = "app-sums-changelog";

fn topology(t: &mut Topology) {
    t.input::<String, u64>("events").fold("sums", |sum: &mut u64, event, _| {
        *sum += event;
        Some(*sum)
    });
}

struct World {
    log: MemoryLog,
    plan: Arc<Plan>,
    events: i64,
}

impl World {
    fn new() -> World {
        let log = MemoryLog::new();
        log.create_topic("events", 1);
        let plan = prepare(&Blueprint::of("app", topology).unwrap(), &log).unwrap();
        World { log, plan, events: 0 }
    }

    /// One more event of the key, worth one.
    fn event(&mut self, key: &str) {
        self.events += 1;
        self.log.append("events", 0, Some(key.as_bytes()), Some(b"1"), Timestamp::from_millis(self.events));
    }

    /// A process on this disk does what is to be done and stops. Answers what it has for a key: the stored value's last byte is the sum.
    fn run(&self, disk: &MemoryStores, key: &str) -> Option<u8> {
        let (log, stores): (Arc<dyn Log>, Arc<dyn Stores>) = (Arc::new(self.log.clone()), Arc::new(disk.clone()));
        let mut process = LocalProcess::start(&self.plan, &log, &stores, "one", 1).unwrap();
        process.settle().unwrap();
        let task: &TaskId = &self.plan.tasks()[0];
        let cell = process.workers()[0].read_state(task, "sums", key.as_bytes()).unwrap();
        process.stop().unwrap();
        cell.and_then(|cell| cell.last().copied())
    }

    fn aborted_tail(&self) {
        let config = ProducerConfig { transactional_id: Some("other".into()) };
        let mut producer: Box<dyn Producer> = self.log.producer(&config).unwrap();
        producer.init().unwrap();
        producer.begin().unwrap();
        let (topic, key, value) = (CHANGELOG.into(), Some(&b"k"[..]), Some(&b"never"[..]));
        let timestamp = Timestamp::from_millis(0);
        let record = Outgoing { topic: &topic, partition: 0, key, value, timestamp, headers: &[], track_offset: false };
        producer.send(record).unwrap();
        producer.send(record).unwrap();
        producer.abort().unwrap();
    }
}

#[test]
fn a_store_does_not_take_the_records_of_a_cut_tail_for_those_that_came_after_it() {
    let mut world = World::new();
    let (first, second) = (MemoryStores::new(), MemoryStores::new());
    world.event("a");
    assert_eq!(world.run(&first, "a"), Some(b'1'));
    world.aborted_tail();
    // Read back over the aborted tail, which then is no more.
    assert_eq!(world.run(&second, "a"), Some(b'1'));
    assert_eq!(world.log.cut_uncommitted_tail(CHANGELOG, 0), 3);
    for key in ["a", "b"] {
        world.event(key);
        world.run(&first, key);
    }
    assert_eq!(world.run(&second, "a"), Some(b'2'));
    assert_eq!(world.run(&second, "b"), Some(b'1'));
}
