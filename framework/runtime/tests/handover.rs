//! Hand-overs on the log in memory, with real threads and records that keep coming: each result is said once, by one generation or the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use headwater_core::bounded::RunPhase;
use headwater_core::handover::Side;
use headwater_core::port::{Log, ReaderConfig, Stores};
use headwater_core::{Blueprint, Record, Timestamp, TopicPartition, Topology, partition_for};
use headwater_runtime::backfill::{BackfillError, Edge, Ended, Registry, Request, Staged, begin, plan, stage};
use headwater_runtime::{Backlog, Process, RunError, RunOptions, Seat, Shutdown, Silent, World};
use headwater_testkit::{MemoryLog, MemoryStores};

const APP: &str = "app";
const NEXT: &str = "app.v2";
const PARTITIONS: i32 = 3;
const KEYS: i64 = 7;
const SOON: Duration = Duration::from_secs(60);

/// Counts, so that a result that is missing or there twice shows: the results of a key are 1, 2, 3 and so on.
fn topology(t: &mut Topology) {
    let events = t.input::<String, i64>("events");
    events.count("sums").to("sums");
    events.rekey("by-parity", |number| (number % 2).to_string()).count("parities").to("parities");
}

/// The next version has a store that the first one did not have, and an output of it.
fn with_a_new_store(t: &mut Topology) {
    let events = t.input::<String, i64>("events");
    events.count("sums").to("sums");
    events.rekey("by-parity", |number| (number % 2).to_string()).count("parities").to("parities");
    events.count("visits").to("visits");
}

struct Fixture {
    log: MemoryLog,
    written: AtomicI64,
    stop: AtomicBool,
}

impl Fixture {
    fn new() -> Fixture {
        let log = MemoryLog::new();
        log.create_topic("events", PARTITIONS);
        Fixture { log, written: AtomicI64::new(0), stop: AtomicBool::new(false) }
    }

    fn write(&self, count: i64) {
        for _ in 0..count {
            let Record { key, value, timestamp, .. } = event(self.written.fetch_add(1, Ordering::Relaxed));
            let partition = partition_for(key.as_deref(), PARTITIONS, 0);
            self.log.append("events", partition, key.as_deref(), value.as_deref(), timestamp);
        }
    }

    /// Writes a little now and then until it is told to stop.
    fn keep_writing(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            self.write(20);
            let until_then = Instant::now() + Duration::from_millis(5);
            while Instant::now() < until_then {
                std::thread::yield_now();
            }
        }
    }

    fn process(&self, name: &str, who: &str, side: Side) -> Result<Process, RunError> {
        self.process_of(topology, name, who, side)
    }

    fn process_of(&self, version: fn(&mut Topology), name: &str, who: &str, side: Side) -> Result<Process, RunError> {
        let stores: Arc<dyn Stores> = Arc::new(MemoryStores::new());
        let world = World { log: Arc::new(self.log.clone()), stores, observer: Arc::new(Silent) };
        let options = RunOptions { process_id: who.into(), workers: 2, ..RunOptions::default() };
        let blueprint = Blueprint::of(name, version).unwrap();
        Process::prepare_generation(&blueprint, Seat { app: APP.into(), side }, world, options)
    }

    fn run(&self, name: &str, who: &str, side: Side, shutdown: &Shutdown) -> Result<Ended, RunError> {
        self.process(name, who, side)?.run(shutdown)
    }

    fn wait_until_consumed(&self, name: &str) {
        let counts = BTreeMap::from([("events".to_owned(), PARTITIONS)]);
        let plan = Blueprint::of(name, topology).unwrap().plan(&counts).unwrap();
        let mut backlog = Backlog::of(&plan, &self.log).unwrap();
        // Topics that are not there yet have not been consumed either.
        until("everything is consumed", || backlog.remaining().is_ok_and(|remaining| remaining == 0));
    }

    /// Lets the writer write so much more, and the new generation process it.
    fn go_on_for(&self, more: i64, writer: ScopedJoinHandle<'_, ()>) {
        let before = self.written.load(Ordering::Relaxed);
        until("more was written since", || self.written.load(Ordering::Relaxed) > before + more);
        self.stop.store(true, Ordering::Relaxed);
        writer.join().unwrap();
        self.wait_until_consumed(NEXT);
    }

    /// The results of each key are 1, 2, 3 and so on, in this order, up to the number of its records.
    fn check(&self) {
        let total = self.written.load(Ordering::Relaxed);
        for (topic, keys) in [("sums", KEYS), ("parities", 2)] {
            let mut seen: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
            for partition in 0..PARTITIONS {
                for record in self.records(topic, partition) {
                    let count = seen.entry(record.0.clone()).or_default();
                    *count += 1;
                    let key = String::from_utf8_lossy(&record.0).into_owned();
                    assert_eq!(record.1, *count, "{topic}-{partition}: result of {key}");
                }
            }
            assert_eq!(seen.len() as i64, keys, "{topic}");
            assert_eq!(seen.values().sum::<i64>(), total, "{topic}: one result for each record");
        }
    }

    fn records(&self, topic: &str, partition: i32) -> Vec<(Vec<u8>, i64)> {
        let mut reader = self.log.reader(&ReaderConfig { group: "check".into(), read_uncommitted: false }).unwrap();
        let partition = TopicPartition::new(topic, partition);
        let end = reader.ends(std::slice::from_ref(&partition)).unwrap()[0].end;
        reader.assign(&[(partition, 0)]).unwrap();
        let (mut position, mut records) = (0, Vec::new());
        while position < end {
            for batch in reader.poll(10_000, Duration::from_millis(10)).unwrap() {
                position = batch.position;
                let number = |value: &[u8]| String::from_utf8_lossy(value).parse::<i64>().unwrap();
                records
                    .extend(batch.records.iter().map(|r| (r.key.clone().unwrap().to_vec(), number(&r.value.clone().unwrap()))));
            }
        }
        records
    }
}

/// The event of a number.
fn event(number: i64) -> Record {
    Record {
        offset: number,
        timestamp: Timestamp::from_millis(number),
        key: Some(format!("k{}", number % KEYS).into()),
        value: Some(number.to_string().into()),
        headers: Vec::new(),
    }
}

#[test]
fn a_new_version_takes_over_while_records_keep_coming() {
    let fixture = Fixture::new();
    fixture.write(20_000);
    let (old, new) = (Shutdown::new(), Shutdown::new());
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| fixture.keep_writing());
        // Two processes of the old generation, and two of the new one.
        let olds = ["a", "b"].map(|who| {
            let (fixture, old) = (&fixture, &old);
            (who, scope.spawn(move || fixture.run(APP, who, Side::Old, old)))
        });
        let side = Side::New { silent: true };
        let news = ["c", "d"].map(|who| {
            let side = side.clone();
            let (fixture, new) = (&fixture, &new);
            scope.spawn(move || fixture.run(NEXT, who, side, new))
        });
        for (who, handle) in olds {
            assert_eq!(handle.join().unwrap().unwrap(), Ended::HandedOver, "{who}");
        }
        fixture.go_on_for(2_000, writer);
        new.request();
        for handle in news {
            assert_eq!(handle.join().unwrap().unwrap(), Ended::Stopped);
        }
    });
    fixture.check();
    let refused = fixture.process(APP, "a", Side::Old).err().unwrap();
    assert!(matches!(&refused, RunError::NotInForce { in_force, .. } if in_force == NEXT), "{refused}");
    // The new generation goes on by itself.
    fixture.write(1_000);
    let shutdown = Shutdown::new();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| fixture.run(NEXT, "e", Side::Old, &shutdown));
        fixture.wait_until_consumed(NEXT);
        shutdown.request();
        running.join().unwrap().unwrap();
    });
    fixture.check();
}

/// Nobody has run the application yet: the new version makes the topic that the two agree in, and waits for the old one.
#[test]
fn a_new_version_may_be_started_first() {
    let fixture = Fixture::new();
    fixture.write(1_000);
    let (old, new) = (Shutdown::new(), Shutdown::new());
    std::thread::scope(|scope| {
        let second = scope.spawn(|| fixture.run(NEXT, "b", Side::New { silent: true }, &new));
        let group = || fixture.log.admin().unwrap().members(NEXT).unwrap();
        until("the new version is there", || second.is_finished() || !group().is_empty());
        let writer = scope.spawn(|| fixture.keep_writing());
        let first = scope.spawn(|| fixture.run(APP, "a", Side::Old, &old));
        assert_eq!(first.join().unwrap().unwrap(), Ended::HandedOver);
        fixture.go_on_for(1_000, writer);
        new.request();
        assert_eq!(second.join().unwrap().unwrap(), Ended::Stopped);
    });
    fixture.check();
}

#[test]
fn a_new_store_is_filled_from_history_and_joins_at_the_cut() {
    let fixture = Fixture::new();
    fixture.write(5_000);
    let (old, new) = (Shutdown::new(), Shutdown::new());
    std::thread::scope(|scope| {
        let first = scope.spawn(|| fixture.run(APP, "a", Side::Old, &old));
        fixture.wait_until_consumed(APP);
        let writer = scope.spawn(|| fixture.keep_writing());
        let next = || fixture.process_of(with_a_new_store, NEXT, "b", Side::New { silent: true })?.run(&new);
        let second = scope.spawn(next);
        assert_eq!(first.join().unwrap().unwrap(), Ended::HandedOver);
        fixture.go_on_for(1_000, writer);
        new.request();
        assert_eq!(second.join().unwrap().unwrap(), Ended::Stopped);
    });
    fixture.check();
    // It says nothing of what was before the cut, and has counted it.
    let mut newest: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
    for (key, count) in (0..PARTITIONS).flat_map(|partition| fixture.records("visits", partition)) {
        let before = newest.insert(key, count);
        assert!(before.map_or(count > 5_000 / KEYS, |before| count == before + 1), "{before:?} then {count}");
    }
    assert_eq!(newest.values().sum::<i64>(), fixture.written.load(Ordering::Relaxed));
}

/// The topic has lost its beginning, and a file has it.
#[test]
fn a_new_version_begins_with_a_file_and_goes_on_with_the_topic() {
    let fixture = Fixture::new();
    fixture.write(5_000);
    let cut = Timestamp::from_millis(3_000);
    let (old, new) = (Shutdown::new(), Shutdown::new());
    let blueprint = Blueprint::of(APP, topology).unwrap();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| fixture.run(APP, "a", Side::Old, &old));
        fixture.wait_until_consumed(APP);
        // Some rows are in both, before the cut and behind it; each counts once.
        let staged =
            stage(&blueprint, &fixture.log, "v2", "events", &|| Ok(Box::new((0..3_500).map(|number| Ok(event(number))))));
        let staged = BTreeMap::from([("events".to_owned(), staged.unwrap())]);
        let gone = (0..PARTITIONS).map(|number| (TopicPartition::new("events", number), 700)).collect::<Vec<_>>();
        fixture.log.admin().unwrap().delete_records(&gone).unwrap();

        let registry = Registry::of(&blueprint, &fixture.log);
        let request = then_live("v2", Edge::Time(cut), staged);
        let record = plan(&blueprint, &fixture.log, &request, Timestamp::from_millis(0)).unwrap().record;
        registry.keep(&record).unwrap();
        let next = Blueprint::of(NEXT, topology).unwrap();
        begin(&next, &record, true, &fixture.log).unwrap();
        let writer = scope.spawn(|| fixture.keep_writing());
        let second = scope.spawn(|| fixture.run(NEXT, "b", Side::New { silent: true }, &new));
        assert_eq!(first.join().unwrap().unwrap(), Ended::HandedOver);
        fixture.go_on_for(1_000, writer);
        new.request();
        assert_eq!(second.join().unwrap().unwrap(), Ended::Stopped);
    });
    fixture.check();
    // A process that is started later reads the same.
    fixture.write(1_000);
    let shutdown = Shutdown::new();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| fixture.run(NEXT, "c", Side::Old, &shutdown));
        fixture.wait_until_consumed(NEXT);
        shutdown.request();
        running.join().unwrap().unwrap();
    });
    fixture.check();
}

#[test]
fn a_table_does_not_begin_with_a_file_where_the_run_goes_on_live() {
    let log = MemoryLog::new();
    ["events", "names"].into_iter().for_each(|topic| log.create_topic(topic, PARTITIONS));
    let joined = |t: &mut Topology| {
        let names = t.table::<String, i64>("names");
        t.input::<String, i64>("events").join("named", &names, |event, name| event + name).to("named");
    };
    let blueprint = Blueprint::of(APP, joined).unwrap();
    let staged = BTreeMap::from([("names".to_owned(), Staged::unknown("app.v2", "names"))]);
    let request = then_live("v2", Edge::Time(Timestamp::from_millis(1)), staged);
    let refused = plan(&blueprint, &log, &request, Timestamp::from_millis(0)).unwrap_err();
    assert!(matches!(&refused, BackfillError::TableFromFile { input } if input == "names"), "{refused}");
}

fn then_live(id: &str, to: Edge, staged: BTreeMap<String, Staged>) -> Request {
    Request { to, staged, ..Request::then_live(id) }
}

/// The process that took over is the old one of the next time, without having been started again.
#[test]
fn one_generation_after_the_other_takes_over() {
    let fixture = Fixture::new();
    fixture.write(3_000);
    let stops = [Shutdown::new(), Shutdown::new(), Shutdown::new(), Shutdown::new()];
    let blueprint = Blueprint::of(APP, topology).unwrap();
    let registry = Registry::of(&blueprint, &fixture.log);
    let request = then_live("v1", Edge::Now, BTreeMap::new());
    registry.keep(&plan(&blueprint, &fixture.log, &request, Timestamp::from_millis(0)).unwrap().record).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| fixture.keep_writing());
        let mut old = scope.spawn(|| fixture.run(APP, "g0", Side::Old, &stops[0]));
        for (number, stop) in stops.iter().enumerate().skip(1) {
            let fixture = &fixture;
            let follow = move || fixture.run(&format!("app.v{number}"), &format!("g{number}"), Side::New { silent: true }, stop);
            let new = scope.spawn(follow);
            assert_eq!(old.join().unwrap().unwrap(), Ended::HandedOver);
            old = new;
        }
        fixture.stop.store(true, Ordering::Relaxed);
        writer.join().unwrap();
        fixture.wait_until_consumed("app.v3");
        stops[3].request();
        assert_eq!(old.join().unwrap().unwrap(), Ended::Stopped);
    });
    fixture.check();
    assert_eq!(registry.run("v1").unwrap().phase, RunPhase::Done);
    // Whatever it is started as, the first of them is over.
    for side in [Side::Old, Side::New { silent: true }] {
        let refused = fixture.process("app.v1", "g1", side).err().unwrap();
        assert!(matches!(&refused, RunError::NotInForce { in_force, .. } if in_force == "app.v3"), "{refused}");
    }
}

#[test]
fn a_new_version_that_goes_away_leaves_the_old_one_as_it_was() {
    let fixture = Fixture::new();
    fixture.write(5_000);
    let (old, new) = (Shutdown::new(), Shutdown::new());
    std::thread::scope(|scope| {
        let running = scope.spawn(|| fixture.run(APP, "a", Side::Old, &old));
        fixture.wait_until_consumed(APP);
        let follower = scope.spawn(|| {
            let stopping = scope.spawn(|| new.request());
            let ended = fixture.run(NEXT, "b", Side::New { silent: true }, &new);
            stopping.join().unwrap();
            ended
        });
        assert_eq!(follower.join().unwrap().unwrap(), Ended::Stopped);
        fixture.write(1_000);
        fixture.wait_until_consumed(APP);
        old.request();
        assert_eq!(running.join().unwrap().unwrap(), Ended::Stopped);
    });
    fixture.check();
    let early = fixture.process(NEXT, "b", Side::Old).err().unwrap();
    assert!(matches!(&early, RunError::NotInForce { in_force, .. } if in_force == APP), "{early}");
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < SOON, "not within {SOON:?}: {what}");
        std::thread::yield_now();
    }
}
