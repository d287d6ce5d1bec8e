//! Stores are asked for what the next records need before their turns, together, and only where that is of use.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use headwater_core::engine::EngineOptions;
use headwater_core::port::{Change, Checkpoint, Log, OpenStore, ScanItem, StateStores, StoreError, StoreRange, Stores};
use headwater_core::{Blueprint, Plan, Timestamp, Topology};
use headwater_testkit::{LocalProcess, MemoryLog, MemoryStores, Timeouts, prepare};

/// Keys of the input, each twice.
const KEYS: usize = 2000;

/// Stores in memory that count how they are asked.
#[derive(Default)]
struct Asked {
    stores: MemoryStores,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    alone: AtomicUsize,
    together: AtomicUsize,
    /// What the next look at several keys fails with.
    failure: Mutex<Option<StoreError>>,
}

struct AskedTask {
    task: Box<dyn StateStores>,
    counts: Arc<Counts>,
}

impl Stores for Asked {
    fn open(&self, task: &str, stores: &[OpenStore]) -> Result<Box<dyn StateStores>, StoreError> {
        let task = self.stores.open(task, stores)?;
        Ok(Box::new(AskedTask { task, counts: Arc::clone(&self.counts) }))
    }
}

impl StateStores for AskedTask {
    fn get(&self, store: usize, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.counts.alone.fetch_add(1, Ordering::Relaxed);
        self.task.get(store, key)
    }

    fn get_many(&self, store: usize, keys: &[&[u8]]) -> Result<Vec<Option<Bytes>>, StoreError> {
        self.counts.together.fetch_add(keys.len(), Ordering::Relaxed);
        match self.counts.failure.lock().unwrap().take() {
            Some(failure) => Err(failure),
            None => self.task.get_many(store, keys),
        }
    }

    fn scan<'a>(&'a self, store: usize, range: StoreRange<'_>) -> Result<Box<dyn Iterator<Item = ScanItem> + 'a>, StoreError> {
        self.task.scan(store, range)
    }

    fn apply(&mut self, changes: &[Change], reached: &[(usize, Checkpoint)]) -> Result<(), StoreError> {
        self.task.apply(changes, reached)
    }

    fn checkpoint(&self, store: usize) -> Result<Option<Checkpoint>, StoreError> {
        self.task.checkpoint(store)
    }

    fn clear(&mut self, store: usize) -> Result<(), StoreError> {
        self.task.clear(store)
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.task.flush()
    }
}

fn count(t: &mut Topology) {
    t.input::<String, i64>("events").filter(|_| true).count("counts").to("totals");
}

fn join(t: &mut Topology) {
    let rows = t.table::<String, i64>("rows");
    t.input::<String, i64>("events").join("rowed", &rows, |event, row| event + row).to("totals");
}

/// A topology over topics of one partition, with stores that count.
struct World {
    log: MemoryLog,
    plan: Arc<Plan>,
    stores: Arc<dyn Stores>,
    counts: Arc<Counts>,
}

impl World {
    fn new(inputs: &[&str], topology: impl Fn(&mut Topology)) -> World {
        let log = MemoryLog::with_timeouts(Timeouts::default());
        inputs.iter().for_each(|topic| log.create_topic(topic, 1));
        let plan = prepare(&Blueprint::of("app", topology).unwrap(), &log).unwrap();
        let asked = Asked::default();
        World { log, plan, counts: Arc::clone(&asked.counts), stores: Arc::new(asked) }
    }

    fn process(&self, cache_bytes: usize) -> LocalProcess {
        let options = EngineOptions { cache_bytes, lent_bytes: 0, ..EngineOptions::default() };
        let log: Arc<dyn Log> = Arc::new(self.log.clone());
        LocalProcess::start_with(&self.plan, &log, &self.stores, "a", 1, &options).unwrap()
    }

    /// Writes a record of each key.
    fn send(&self, topic: &str) {
        for key in 0..KEYS {
            self.log.append(topic, 0, Some(format!("k{key}").as_bytes()), Some(b"1"), Timestamp::from_millis(1000));
        }
    }

    /// Has a record of each key processed: each result is `total`.
    fn pass(&self, process: &mut LocalProcess, total: &str) {
        self.send("events");
        process.settle().unwrap();
        let totals = self.log.read_all("totals", 0, true);
        let newest: Vec<_> = totals.iter().rev().take(KEYS).map(|record| record.value.clone().unwrap()).collect();
        assert_eq!((newest.len(), newest.iter().filter(|newest| **newest == total).count()), (KEYS, KEYS));
    }
}

/// Counts each key twice, with so much memory for a cache, and answers how the stores were asked. Before the second time they are told what the next look at
/// several keys fails with.
fn run(cache_bytes: usize, failure: Option<StoreError>) -> Arc<Counts> {
    let world = World::new(&["events"], count);
    let mut process = world.process(cache_bytes);
    world.pass(&mut process, "1");
    *world.counts.failure.lock().unwrap() = failure;
    world.pass(&mut process, "2");
    world.counts
}

impl Counts {
    /// Keys that were asked for alone, and together with others.
    fn keys(&self) -> (usize, usize) {
        (self.alone.load(Ordering::Relaxed), self.together.load(Ordering::Relaxed))
    }
}

#[test]
fn what_the_cache_does_not_have_is_looked_up_together() {
    let (alone, together) = run(0, None).keys();
    assert!(together > 2 * KEYS * 9 / 10, "{together}");
    // Before it is known to be of use.
    assert!(alone < 2 * KEYS / 10, "{alone}");
}

#[test]
fn what_the_cache_has_is_not_looked_up() {
    assert_eq!(run(100 << 20, None).keys(), (0, 0));
}

#[test]
fn a_failure_to_look_is_that_of_the_store() {
    let damaged = StoreError::Corrupt { path: "somewhere".into(), message: "broken".to_owned() };
    // The task is opened again, and nothing is lost; the stores in memory are not really damaged.
    let counts = run(0, Some(damaged));
    assert!(counts.failure.lock().unwrap().is_none(), "it was met");
}

#[test]
fn what_is_only_read_gets_its_place_in_the_cache() {
    let world = World::new(&["events", "rows"], join);
    world.send("rows");
    let mut first = world.process(0);
    first.settle().unwrap();
    first.stop().unwrap();
    // The next one does not know what there is.
    let mut process = world.process(100 << 20);
    world.pass(&mut process, "2");
    let (alone, together) = world.counts.keys();
    assert!(together > KEYS / 2, "{together}");
    world.pass(&mut process, "2");
    let again = world.counts.keys();
    assert!(again.0 + again.1 < alone + together + 10, "{again:?} after {alone} and {together}");
}
