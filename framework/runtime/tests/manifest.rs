//! The manifest at start and while running, on a log in memory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use headwater_core::port::{Log, Stores};
use headwater_core::{Blueprint, Manifest, StoredManifest, Timestamp, Topology, Tumbling};
use headwater_runtime::{MANIFEST_MEMO, Observer, Process, Reset, ResetRequest, RunError, RunOptions, Shutdown, Target, World};
use headwater_testkit::{MemoryLog, MemoryStores};

type Describe = fn(&mut Topology);

fn base(t: &mut Topology) {
    let events = t.input::<String, u64>("events");
    events.count("total").to("totals");
    events.window(Tumbling::of(Duration::from_secs(60))).count("minutes").to("minutes-out");
}

/// The same in another order, with a step that keeps nothing.
fn reordered(t: &mut Topology) {
    let events = t.input::<String, u64>("events").map(|event| *event);
    events.window(Tumbling::of(Duration::from_secs(60))).count("minutes").to("minutes-out");
    events.filter(|_| true).count("total").to("totals");
}

fn one_more(t: &mut Topology) {
    base(t);
    t.input::<String, u64>("more").count("seen").to("seen-out");
}

fn renamed(t: &mut Topology) {
    let events = t.input::<String, u64>("events");
    events.count("sum").to("totals");
    events.window(Tumbling::of(Duration::from_secs(60))).count("minutes").to("minutes-out");
}

fn longer(t: &mut Topology) {
    let events = t.input::<String, u64>("events");
    events.count("total").to("totals");
    events.window(Tumbling::of(Duration::from_secs(120))).count("minutes").to("minutes-out");
}

#[derive(Default)]
struct Notes(Mutex<Vec<String>>, AtomicU64);

impl Observer for Notes {
    fn restoring(&self, _store: &str, _partition: i32, applied: u64, _remaining: u64) {
        self.1.fetch_add(applied, Ordering::Relaxed);
    }
    fn incomplete(&self, tasks: &[String]) {
        self.0.lock().unwrap().extend_from_slice(tasks);
    }
}

struct Machine {
    log: MemoryLog,
    stores: MemoryStores,
    notes: Arc<Notes>,
}

impl Machine {
    fn new() -> Machine {
        let log = MemoryLog::new();
        ["events", "more"].iter().for_each(|topic| log.create_topic(topic, 2));
        Machine::on(&log)
    }

    /// Another one, with a disk of its own.
    fn on(log: &MemoryLog) -> Machine {
        Machine { log: log.clone(), stores: MemoryStores::new(), notes: Arc::default() }
    }

    fn prepare(&self, topology: Describe, accepted: &[&str]) -> Result<Process, RunError> {
        let accepted_changes = accepted.iter().map(|name| (*name).to_owned()).collect();
        let observer: Arc<dyn Observer> = self.notes.clone();
        let world = World { log: Arc::new(self.log.clone()), stores: Arc::new(self.stores.clone()), observer };
        Process::prepare(
            &Blueprint::of("app", topology).unwrap(),
            world,
            RunOptions { accepted_changes, ..RunOptions::default() },
        )
    }

    fn topics(&self) -> usize {
        let names = ["app-control", "app-total-changelog", "app-sum-changelog", "app-minutes-changelog", "app-seen-changelog"];
        self.log.admin().unwrap().describe(&names.map(str::to_owned)).unwrap().len()
    }

    fn kept(&self) -> StoredManifest {
        let records = self.log.read_all("app-control", 0, true);
        let last = records.iter().rfind(|record| record.key.as_deref() == Some(b"manifest")).unwrap();
        StoredManifest::from_json(std::str::from_utf8(last.value.as_ref().unwrap()).unwrap()).unwrap()
    }
}

fn error(result: Result<Process, RunError>) -> RunError {
    result.err().expect("it is refused")
}

#[test]
fn what_is_compatible_starts_and_is_kept() {
    let machine = Machine::new();
    machine.prepare(base, &[]).unwrap();
    let first = machine.kept();
    assert_eq!((first.serial, machine.stores.memo(MANIFEST_MEMO).unwrap()), (1, Some(first.record().1)));
    machine.prepare(reordered, &[]).unwrap();
    assert_eq!(machine.kept(), first, "nothing changed, so nothing is written");
    machine.prepare(one_more, &[]).unwrap();
    let kept = machine.kept();
    assert_eq!(kept.serial, 2);
    assert!(kept.manifest.stores.contains_key("seen"));
    // A disk that was lost, or another machine: the topic is enough.
    let other = Machine::on(&machine.log);
    other.prepare(one_more, &[]).unwrap();
    assert_eq!(other.stores.memo(MANIFEST_MEMO).unwrap(), Some(kept.record().1));
}

#[test]
fn what_is_not_is_refused_before_anything_is_made() {
    let machine = Machine::new();
    machine.prepare(base, &[]).unwrap();
    let topics = machine.topics();
    let other = Machine::on(&machine.log);
    for (topology, name, part) in [
        (renamed as Describe, "total", "app run --accept-topology-change total"),
        (longer, "minutes", "was 60000 ms, is now 120000 ms"),
    ] {
        let error = error(other.prepare(topology, &[]));
        let RunError::TopologyChanged { changes, .. } = &error else { panic!("{error}") };
        assert_eq!(changes.iter().map(|change| change.name.as_str()).collect::<Vec<_>>(), [name]);
        let text = error.to_string();
        assert!(text.contains(part) && text.contains("`app reset`") && text.contains("app-control"), "{text}");
        assert_eq!((other.topics(), other.stores.memo(MANIFEST_MEMO).unwrap()), (topics, None));
    }
    // What would be misread cannot be accepted; what is left behind can, and is remembered.
    assert!(!error(other.prepare(longer, &["minutes"])).to_string().contains("--accept"));
    other.prepare(renamed, &["total"]).unwrap();
    assert_eq!(other.kept().manifest.retired.keys().collect::<Vec<_>>(), ["total"]);
    other.prepare(renamed, &[]).unwrap();
    assert!(error(machine.prepare(base, &[])).to_string().contains("\"app-total-changelog\""));
}

#[test]
fn the_copy_on_disk_counts_where_the_topic_is_gone() {
    let machine = Machine::new();
    machine.prepare(base, &[]).unwrap();
    machine.log.admin().unwrap().delete(&["app-control".into()]).unwrap();
    let refused = error(machine.prepare(longer, &[])).to_string();
    assert!(refused.contains("the state directory"), "{refused}");
    machine.prepare(base, &[]).unwrap();
    machine.stores.set_memo(MANIFEST_MEMO, Some("{\"version\":9}")).unwrap();
    machine.prepare(base, &[]).unwrap();
    machine.log.admin().unwrap().delete(&["app-control".into()]).unwrap();
    machine.stores.set_memo(MANIFEST_MEMO, Some("{\"version\":9}")).unwrap();
    assert!(matches!(error(machine.prepare(base, &[])), RunError::Control { .. }));
}

#[test]
fn partitions_that_changed_are_named_by_store() {
    let machine = Machine::new();
    machine.prepare(base, &[]).unwrap();
    let log = MemoryLog::new();
    ["events", "more"].iter().for_each(|topic| log.create_topic(topic, 3));
    let moved = Machine { log, stores: machine.stores.clone(), notes: Arc::default() };
    let text = error(moved.prepare(base, &[])).to_string();
    assert!(text.contains(r#"store "total" of operator "total": partitions: was 2, is now 3"#), "{text}");
}

#[test]
fn processes_that_start_together_agree() {
    let machine = Machine::new();
    thread::scope(|scope| {
        let start = |topology: Describe| {
            let machine = Machine::on(&machine.log);
            scope.spawn(move || machine.prepare(topology, &[]).map(|_| ()))
        };
        let running: Vec<_> = (0..4).map(|_| start(base)).collect();
        running.into_iter().for_each(|one| one.join().unwrap().unwrap());
        // Of two that exclude each other one wins.
        let (one, other) = (start(renamed), start(longer));
        let ends = [one.join().unwrap(), other.join().unwrap()];
        assert!(ends.iter().all(Result::is_err), "{ends:?}");
    });
    assert_eq!(machine.kept().serial, 1);
}

/// A test that fails must not wait for the processes it started.
struct StopWhenDropped<'a>([&'a Shutdown; 2]);

impl Drop for StopWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.iter().for_each(|shutdown| shutdown.request());
    }
}

/// Waits for a condition.
#[track_caller]
fn until(what: &str, mut question: impl FnMut() -> bool) {
    let began = Instant::now();
    while !question() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}");
        thread::yield_now();
    }
}

#[test]
fn code_that_changes_places_restores_nothing() {
    let machine = Machine::new();
    let outputs = || -> usize { (0..2).map(|partition| machine.log.read_all("totals", partition, true).len()).sum() };
    for (topology, records) in [(base as Describe, 2), (reordered, 4)] {
        for partition in 0..2 {
            machine.log.append("events", partition, Some(b"a"), Some(b"1"), Timestamp::from_millis(1));
        }
        let (process, shutdown, unused) = (machine.prepare(topology, &[]).unwrap(), Shutdown::new(), Shutdown::new());
        thread::scope(|scope| {
            let _stop = StopWhenDropped([&shutdown, &unused]);
            let running = scope.spawn(|| process.run(&shutdown));
            until("everything is read", || outputs() == records);
            shutdown.request();
            running.join().unwrap().unwrap();
        });
    }
    assert_eq!(machine.notes.1.load(Ordering::Relaxed), 0);
    let counts = (0..2).flat_map(|partition| machine.log.read_all("totals", partition, true));
    let mut counts: Vec<_> = counts.map(|record| record.value.unwrap()).collect();
    counts.sort();
    assert_eq!(counts, ["1", "1", "2", "2"]);
}

#[test]
fn an_older_version_stops_when_a_newer_one_takes_over() {
    let old = Machine::new();
    let new = Machine::on(&old.log);
    let (for_old, for_new) = (Shutdown::new(), Shutdown::new());
    for (key, time) in [("a", 1), ("b", 2)] {
        for partition in 0..2 {
            old.log.append("events", partition, Some(key.as_bytes()), Some(b"1"), Timestamp::from_millis(time));
        }
    }
    let outputs = |log: &MemoryLog| -> usize { (0..2).map(|partition| log.read_all("totals", partition, true).len()).sum() };
    let first = old.prepare(base, &[]).unwrap();
    thread::scope(|scope| {
        let _stop = StopWhenDropped([&for_old, &for_new]);
        let first = scope.spawn(|| first.run(&for_old));
        until("the old version has read everything", || outputs(&old.log) == 4);
        let second = new.prepare(one_more, &[]).unwrap();
        let second = scope.spawn(|| second.run(&for_new));
        until("the old version stops", || first.is_finished());
        let error = first.join().unwrap().unwrap_err();
        assert!(matches!(error, RunError::Superseded { .. }), "{error}");
        assert!(error.to_string().contains("seen"), "{error}");
        for partition in 0..2 {
            old.log.append("events", partition, Some(b"a"), Some(b"1"), Timestamp::from_millis(3));
        }
        until("the new version goes on", || outputs(&old.log) == 6);
        for_new.request();
        second.join().unwrap().unwrap();
    });
    // Each task's counts, in whichever partition their keys put them: every event counted once, by one version after the other.
    let records = (0..2).flat_map(|partition| old.log.read_all("totals", partition, true));
    let mut counts: Vec<_> = records.map(|record| (record.key.unwrap(), record.value.unwrap())).collect();
    counts.sort();
    let expected = [("a", "1"), ("a", "1"), ("a", "2"), ("a", "2"), ("b", "1"), ("b", "1")];
    assert_eq!(counts, expected.map(|(key, count)| (key.into(), count.into())));
    assert!(matches!(error(old.prepare(base, &[])), RunError::TopologyChanged { .. }));
}

/// Reads two topics in one task; a member that reads only one of them keeps it from running.
fn joined(t: &mut Topology) {
    let events = t.input::<String, u64>("events");
    let more = t.input::<String, u64>("more");
    events.merge(&more).to("out");
}

fn half(t: &mut Topology) {
    t.input::<String, u64>("events").to("out");
}

#[test]
fn half_a_co_partitioned_set_runs_nothing_and_says_so() {
    let one = Machine::new();
    let other = Machine::on(&one.log);
    let (for_one, for_other) = (Shutdown::new(), Shutdown::new());
    // Neither keeps state, so neither version excludes the other.
    let (half, joined) = (one.prepare(half, &[]).unwrap(), other.prepare(joined, &[]).unwrap());
    thread::scope(|scope| {
        let _stop = StopWhenDropped([&for_one, &for_other]);
        let half = scope.spawn(|| half.run(&for_one));
        until("the one joins", || one.log.members("app").iter().any(|member| member.partitions.len() == 2));
        let joined = scope.spawn(|| joined.run(&for_other));
        until("a task lacks a partition", || {
            assert!(!half.is_finished() && !joined.is_finished());
            other.notes.0.lock().unwrap().iter().any(|task| task.contains("lacks events-"))
        });
        for partition in 0..2 {
            one.log.append("more", partition, Some(b"k"), Some(b"7"), Timestamp::from_millis(1));
        }
        for_one.request();
        half.join().unwrap().unwrap();
        until("all is read once the other has gone", || {
            (0..2).map(|partition| one.log.read_all("out", partition, true).len()).sum::<usize>() == 2
        });
        for_other.request();
        joined.join().unwrap().unwrap();
    });
}

#[test]
fn nothing_starts_in_the_middle_of_a_reset() {
    let machine = Machine::new();
    machine.prepare(base, &[]).unwrap();
    let blueprint = Blueprint::of("app", base).unwrap();
    let request = ResetRequest { inputs: None, target: Target::Earliest, outputs: false };
    let reset = Reset::plan(&blueprint, &machine.log, &request).unwrap();
    let broken = || Err(headwater_core::port::StoreError::Io { path: "state".into(), message: "the disk is gone".into() });
    assert!(reset.carry_out(&machine.log, broken).is_err());
    assert!(matches!(error(machine.prepare(base, &[])), RunError::UnfinishedReset { .. }));
    let again = Reset::plan(&blueprint, &machine.log, &request).unwrap();
    again.carry_out(&machine.log, || Ok(())).unwrap();
    let fresh = Machine::on(&machine.log);
    fresh.prepare(longer, &[]).unwrap();
    assert_eq!(fresh.kept().serial, 1);
}

#[test]
fn a_reset_removes_what_earlier_versions_made() {
    let machine = Machine::new();
    machine.prepare(base, &[]).unwrap();
    machine.prepare(renamed, &["total"]).unwrap();
    machine.log.create_topic("app-foreign-changelog", 1);
    let request = ResetRequest { inputs: None, target: Target::Earliest, outputs: false };
    let reset = Reset::plan(&Blueprint::of("app", longer).unwrap(), &machine.log, &request).unwrap();
    let text = reset.lines().join("\n");
    for topic in ["app-total-changelog", "app-sum-changelog", "app-minutes-changelog", "app-control"] {
        assert!(text.contains(topic), "{text}");
    }
    assert!(!text.contains("foreign"), "{text}");
    let _: Manifest = machine.kept().manifest;
}
