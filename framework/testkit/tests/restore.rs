//! Taking stores over when their changelogs, their inputs or their files are not what they were.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use headwater_core::engine::{EngineError, EngineOptions, Report};
use headwater_core::port::{
    Change, Checkpoint, Log, OpenStore, ScanItem, StateStores, StoreError, StoreRange, StoreTrouble, Stores,
};
use headwater_core::{Blueprint, Plan, TaskId, Timestamp, Topology, hours};
use headwater_testkit::{LocalProcess, MemoryLog, MemoryStores, Tombstones, prepare};

const CHANGELOG: &str = "app-counts-changelog";

fn count(t: &mut Topology) {
    t.input::<String, i64>("events").count("counts").to("totals");
}

fn named(t: &mut Topology) {
    let names = t.table::<String, String>("names");
    t.input::<String, i64>("events").join("named", &names, |_, name: &String| name.clone()).to("named-events");
}

struct World {
    log: MemoryLog,
    plan: Arc<Plan>,
    stores: Arc<dyn Stores>,
}

impl World {
    fn new(inputs: &[&str], topology: fn(&mut Topology)) -> World {
        let log = MemoryLog::new();
        inputs.iter().for_each(|topic| log.create_topic(topic, 1));
        let plan = prepare(&Blueprint::of("app", topology).unwrap(), &log).unwrap();
        World { log, plan, stores: Arc::new(MemoryStores::new()) }
    }

    /// A process on the disk of this world, started at an hour of its time.
    fn process(&self, hour: u64) -> LocalProcess {
        let log: Arc<dyn Log> = Arc::new(self.log.clone());
        let options = EngineOptions { restore_parallel: 1, ..EngineOptions::default() };
        let mut process = LocalProcess::start_with(&self.plan, &log, &self.stores, "p", 1, &options).unwrap();
        process.set_wall_time(Timestamp::from_millis(0) + hours(hour));
        process
    }

    /// Runs until nothing is left to do and stops; answers what was reported.
    fn run(&self, hour: u64) -> Report {
        let mut process = self.process(hour);
        process.settle().unwrap();
        let report = process.workers_mut()[0].take_report();
        process.stop().unwrap();
        report
    }

    /// The error a start ends with.
    fn refusal(&self) -> EngineError {
        self.process(0).settle().unwrap_err()
    }

    fn send(&self, topic: &str, key: &str, value: Option<&str>) {
        self.log.append(topic, 0, Some(key.as_bytes()), value.map(str::as_bytes), Timestamp::from_millis(0));
    }

    fn task(&self) -> TaskId {
        self.plan.tasks().remove(0)
    }

    /// The keys of a store on disk.
    fn keys(&self, store: &str) -> Vec<String> {
        let task = self.stores.open(&self.task().to_string(), &[OpenStore { name: store.into() }]).unwrap();
        let entries = task.scan(0, StoreRange { from: b"", to: None }).unwrap();
        entries.map(|entry| String::from_utf8(entry.unwrap().0.to_vec()).unwrap()).collect()
    }

    fn checkpoint(&self, store: &str) -> Option<Checkpoint> {
        let task = self.stores.open(&self.task().to_string(), &[OpenStore { name: store.into() }]).unwrap();
        task.checkpoint(0).unwrap()
    }
}

fn troubles(report: &Report) -> Vec<StoreTrouble> {
    report.recovered.iter().map(|recovery| recovery.trouble).collect()
}

fn applied(report: &Report) -> u64 {
    report.restored.iter().map(|progress| progress.applied).sum()
}

/// Three keys counted, the process stopped; the changelog has three records and a marker.
fn counted() -> World {
    let world = World::new(&["events"], count);
    ["a", "b", "c"].iter().for_each(|key| world.send("events", key, Some("1")));
    assert_eq!(troubles(&world.run(0)), []);
    assert_eq!(world.keys("counts"), ["a", "b", "c"]);
    world
}

#[track_caller]
fn check(world: &World, hour: u64, trouble: Option<StoreTrouble>, keys: &[&str]) {
    let report = world.run(hour);
    assert_eq!(troubles(&report), trouble.into_iter().collect::<Vec<_>>(), "{:?}", report.recovered);
    assert_eq!(world.keys("counts"), keys);
    // It is in order now.
    assert_eq!(troubles(&world.run(hour)), []);
}

#[test]
fn what_another_member_wrote_is_the_tail() {
    let world = counted();
    world.send(CHANGELOG, "d", Some("from another member"));
    world.send(CHANGELOG, "a", None);
    let report = world.run(1);
    // The commit marker, the two records.
    assert_eq!((applied(&report), troubles(&report).len()), (2, 0));
    assert_eq!(world.keys("counts"), ["b", "c", "d"]);
}

#[test]
fn a_trimmed_changelog_is_read_from_its_start() {
    let world = counted();
    ["d", "e"].iter().for_each(|key| world.send(CHANGELOG, key, Some("v")));
    world.log.delete_before(CHANGELOG, 0, 5);
    check(&world, 0, Some(StoreTrouble::Trimmed), &["e"]);
}

#[test]
fn a_truncated_changelog_is_read_from_its_start() {
    let world = counted();
    world.log.truncate(CHANGELOG, 0, 2);
    check(&world, 0, Some(StoreTrouble::Truncated), &["a", "b"]);
}

#[test]
fn a_changelog_made_anew_is_noticed_however_long_it_is() {
    for records in [0, 3, 9] {
        let world = counted();
        world.log.recreate_topic(CHANGELOG);
        (0..records).for_each(|_| world.send(CHANGELOG, "new", Some("v")));
        let report = world.run(0);
        assert_eq!(troubles(&report), [StoreTrouble::Recreated], "{records} records");
        assert!(report.recovered[0].detail.contains("of topic id"), "{}", report.recovered[0].detail);
        assert_eq!(world.keys("counts"), if records == 0 { vec![] } else { vec!["new"] });
    }
}

#[test]
fn a_store_left_alone_for_longer_than_deletions_are_kept_is_read_anew() {
    let lately_deleted = || {
        let world = counted();
        world.send(CHANGELOG, "a", None);
        world.send(CHANGELOG, "d", Some("v"));
        world
    };
    let world = lately_deleted();
    check(&world, 23, None, &["b", "c", "d"]);

    let world = lately_deleted();
    // The deletion is gone: nothing tells the old store that `a` is.
    world.log.compact(CHANGELOG, Tombstones::Drop).unwrap();
    check(&world, 25, Some(StoreTrouble::Expired), &["b", "c", "d"]);
}

#[test]
fn a_store_in_use_does_not_age() {
    let world = counted();
    let mut process = world.process(0);
    process.settle().unwrap();
    process.advance(hours(30));
    process.settle().unwrap();
    // Not stopped: as after a crash, only what was told while it ran counts.
    drop(process);
    let as_of = world.checkpoint("counts").unwrap().as_of;
    assert_eq!(as_of, Some(Timestamp::from_millis(0) + hours(30)));
}

/// Many records, so that a restore takes several polls.
fn long_changelog(records: usize) -> World {
    let world = World::new(&["events"], count);
    (0..records).for_each(|number| world.send(CHANGELOG, &format!("k{number:05}"), Some("v")));
    world
}

/// A process in the midst of its restore.
fn restoring(world: &World) -> LocalProcess {
    let mut process = world.process(0);
    for _ in 0..20 {
        process.turn().unwrap();
        let report = process.workers_mut()[0].take_report();
        if applied(&report) > 0 {
            assert_eq!(process.workers()[0].task_counts(), (1, 0));
            return process;
        }
    }
    panic!("no restore began");
}

#[test]
fn a_restore_cut_short_goes_on_where_it_was() {
    let world = long_changelog(40_000);
    restoring(&world).stop().unwrap();
    let first = world.checkpoint("counts").unwrap().offset as u64;
    assert!((1..40_000).contains(&first), "{first}");
    let report = world.run(0);
    assert_eq!((applied(&report), troubles(&report)), (40_000 - first, vec![]));
    assert_eq!(world.keys("counts").len(), 40_000);
}

#[test]
fn a_restore_cut_short_is_as_old_as_its_beginning() {
    let world = long_changelog(40_000);
    restoring(&world).stop().unwrap();
    assert_eq!(world.checkpoint("counts").unwrap().as_of, Some(Timestamp::from_millis(0)));
    let mut process = world.process(10);
    process.turn().unwrap();
    process.stop().unwrap();
    let report = world.run(25);
    assert_eq!(troubles(&report), [StoreTrouble::Expired], "deletions it has not come to may be forgotten by now");
    assert_eq!(applied(&report), 40_000);
}

/// What happens to the log in the midst of a restore, and how many keys it has then.
#[track_caller]
fn check_midway(change: impl Fn(&MemoryLog), trouble: StoreTrouble, keys: usize) {
    let world = long_changelog(40_000);
    let mut process = restoring(&world);
    change(&world.log);
    process.settle().unwrap();
    let report = process.workers_mut()[0].take_report();
    assert_eq!((troubles(&report), report.started.len()), (vec![trouble], 1), "{:?}", report.recovered);
    process.stop().unwrap();
    assert_eq!(world.keys("counts").len(), keys);
}

#[test]
fn a_restore_survives_what_happens_to_its_log() {
    check_midway(|log| log.delete_before(CHANGELOG, 0, 30_000), StoreTrouble::Overtaken, 10_000);
    check_midway(|log| log.delete_before(CHANGELOG, 0, 40_000), StoreTrouble::Overtaken, 0);
    // Shorter than what was read, and shorter than what is to be read.
    check_midway(|log| log.truncate(CHANGELOG, 0, 10_000), StoreTrouble::Truncated, 10_000);
    check_midway(|log| log.truncate(CHANGELOG, 0, 20_000), StoreTrouble::Truncated, 20_000);
}

#[test]
fn a_position_that_its_input_does_not_have_is_refused() {
    let world = counted();
    world.log.recreate_topic("events");
    let error = world.refusal();
    assert!(matches!(&error, EngineError::InputShorter { position: 3, .. }), "{error}");
    assert!(error.to_string().contains("reset"), "{error}");

    let world = counted();
    ["d", "e"].iter().for_each(|key| world.send("events", key, Some("1")));
    world.log.delete_before("events", 0, 4);
    let error = world.refusal();
    assert!(matches!(&error, EngineError::InputTrimmed { position: 3, .. }), "{error}");
}

#[test]
fn an_input_trimmed_while_it_is_read_is_refused_by_name() {
    let world = counted();
    let mut process = world.process(0);
    process.settle().unwrap();
    (0..3).for_each(|_| world.send("events", "a", Some("1")));
    world.log.delete_before("events", 0, 5);
    let error = process.settle().unwrap_err();
    assert!(matches!(&error, EngineError::InputTrimmed { position: 3, .. }), "{error}");
}

/// A table of two names that its application has read.
fn table() -> World {
    let world = World::new(&["names", "events"], named);
    world.send("names", "a", Some("\"ann\""));
    world.send("names", "b", Some("\"bob\""));
    world.run(0);
    assert_eq!(world.keys("names"), ["a", "b"]);
    world
}

#[test]
fn a_table_whose_topic_is_shorter_than_its_position_is_refused() {
    let world = table();
    world.log.recreate_topic("names");
    let error = world.refusal();
    assert!(matches!(&error, EngineError::InputShorter { position: 2, .. }), "{error}");
}

#[test]
fn a_table_is_what_its_topic_still_has() {
    let world = table();
    world.send("names", "c", Some("\"cid\""));
    world.send("names", "d", Some("\"dan\""));
    world.log.delete_before("names", 0, 3);
    let report = world.run(0);
    assert_eq!(troubles(&report), [StoreTrouble::Trimmed]);
    assert_eq!(world.keys("names"), ["d"]);
}

#[test]
fn a_table_made_anew_and_read_by_others_is_read_anew() {
    let world = table();
    world.log.recreate_topic("names");
    ["x", "y", "z"].iter().for_each(|key| world.send("names", key, Some("\"new\"")));
    let report = world.run(0);
    assert_eq!(troubles(&report), [StoreTrouble::Recreated]);
    assert_eq!(world.keys("names"), ["x", "y", "z"]);
}

/// Stores whose files are damaged while `broken` is set: reads fail, and the next open finds nothing.
#[derive(Clone, Default)]
struct Damaged {
    stores: MemoryStores,
    broken: Arc<AtomicBool>,
}

impl Stores for Damaged {
    fn open(&self, task: &str, stores: &[OpenStore]) -> Result<Box<dyn StateStores>, StoreError> {
        let mut inner = self.stores.open(task, stores)?;
        let mut notes = Vec::new();
        if self.broken.swap(false, Ordering::Relaxed) {
            (0..stores.len()).try_for_each(|store| inner.clear(store))?;
            notes.push((StoreTrouble::Corrupt, String::from("put aside")));
        }
        Ok(Box::new(DamagedTask { inner, notes, broken: Arc::clone(&self.broken) }))
    }
}

struct DamagedTask {
    inner: Box<dyn StateStores>,
    notes: Vec<(StoreTrouble, String)>,
    broken: Arc<AtomicBool>,
}

impl DamagedTask {
    fn sound(&self) -> Result<(), StoreError> {
        let damage = || StoreError::Corrupt { path: "memory".into(), message: "checksum".into() };
        if self.broken.load(Ordering::Relaxed) { Err(damage()) } else { Ok(()) }
    }
}

impl StateStores for DamagedTask {
    fn get(&self, store: usize, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.sound()?;
        self.inner.get(store, key)
    }
    fn scan<'a>(&'a self, store: usize, range: StoreRange<'_>) -> Result<Box<dyn Iterator<Item = ScanItem> + 'a>, StoreError> {
        self.inner.scan(store, range)
    }
    fn apply(&mut self, changes: &[Change], reached: &[(usize, Checkpoint)]) -> Result<(), StoreError> {
        self.sound()?;
        self.inner.apply(changes, reached)
    }
    fn checkpoint(&self, store: usize) -> Result<Option<Checkpoint>, StoreError> {
        self.inner.checkpoint(store)
    }
    fn take_notes(&mut self) -> Vec<(StoreTrouble, String)> {
        std::mem::take(&mut self.notes)
    }
    fn clear(&mut self, store: usize) -> Result<(), StoreError> {
        self.inner.clear(store)
    }
    fn flush(&mut self) -> Result<(), StoreError> {
        self.inner.flush()
    }
}

fn totals(world: &World) -> BTreeMap<String, String> {
    let text = |bytes: Option<Bytes>| String::from_utf8(bytes.unwrap().to_vec()).unwrap();
    world.log.read_all("totals", 0, true).into_iter().map(|record| (text(record.key), text(record.value))).collect()
}

#[test]
fn files_that_turn_out_damaged_are_restored_while_running() {
    // While reading for a record, and while applying what was committed.
    for after_work in [false, true] {
        let mut world = World::new(&["events"], count);
        let damaged = Damaged::default();
        world.stores = Arc::new(damaged.clone());
        ["a", "b", "a"].iter().for_each(|key| world.send("events", key, Some("1")));
        let mut process = world.process(0);
        process.settle().unwrap();
        ["a", "c"].iter().for_each(|key| world.send("events", key, Some("1")));
        if after_work {
            for _ in 0..3 {
                process.work().unwrap();
            }
        }
        damaged.broken.store(true, Ordering::Relaxed);
        process.settle().unwrap();
        let report = process.workers_mut()[0].take_report();
        assert_eq!(troubles(&report), [StoreTrouble::Corrupt], "after work: {after_work}");
        process.stop().unwrap();
        assert_eq!(world.keys("counts"), ["a", "b", "c"]);
        let expected = [("a", "3"), ("b", "1"), ("c", "1")].map(|(key, total)| (key.to_owned(), total.to_owned()));
        assert_eq!(totals(&world), BTreeMap::from(expected));
        assert_eq!(world.log.read_all("totals", 0, true).len(), 5, "each once");
    }
}
