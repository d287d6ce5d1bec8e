//! What reaches systems outside of the log: in a live run, in a backfill (B8), and across a hand-over.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use headwater_core::bounded::{Mode, RunRecord, SinkStanding};
use headwater_core::handover::Side;
use headwater_core::port::{Log, Stores};
use headwater_core::{Blueprint, ReplayEffect, Timestamp, Topology, partition_for};
use headwater_runtime::backfill::{BackfillError, Destination, Edge, Ended, Goal, Registry, Request, plan, run_name};
use headwater_runtime::{Backlog, Observer, Process, RunError, RunOptions, Seat, Shutdown, Silent, World};
use headwater_testkit::{LocalProcess, MemoryLog, MemoryStores, SinkCall, TestSink, prepare};

const APP: &str = "app";
const PARTITIONS: i32 = 3;
const EVENTS: i64 = 2400;
/// The range that is computed again: much more than a worker does between two looks at its throttle.
const RANGE: std::ops::Range<i64> = 100..2100;
const KEYS: i64 = 7;
const SOON: Duration = Duration::from_secs(60);

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1000)
}

/// The outside world: one that must not hear anything twice, one that may.
#[derive(Clone)]
struct Outside {
    pager: TestSink,
    mirror: TestSink,
}

impl Outside {
    fn new() -> Outside {
        Outside { pager: TestSink::new(ReplayEffect::Forbidden), mirror: TestSink::new(ReplayEffect::Idempotent) }
    }

    fn blueprint(&self, name: &str) -> Arc<Blueprint> {
        let Outside { pager, mirror } = self.clone();
        let topology = |t: &mut Topology| {
            let events = t.input::<String, i64>("events");
            events.to("copies");
            events.deliver("pager", pager);
            events.deliver("mirror", mirror);
        };
        Blueprint::of(name, topology).unwrap()
    }
}

/// The numbers that reached a sink, sorted.
fn numbers(sink: &TestSink) -> Vec<i64> {
    let mut numbers: Vec<i64> = sink.arrived::<String, i64>().into_iter().map(|out| out.value).collect();
    numbers.sort_unstable();
    numbers
}

fn write(log: &MemoryLog, number: i64) {
    let key = format!("k{}", number % KEYS);
    let partition = partition_for(Some(key.as_bytes()), PARTITIONS, 0);
    log.append("events", partition, Some(key.as_bytes()), Some(number.to_string().as_bytes()), at(number));
}

/// Events that a live run has processed.
fn lived() -> MemoryLog {
    let (log, outside) = (MemoryLog::new(), Outside::new());
    log.create_topic("events", PARTITIONS);
    (0..EVENTS).for_each(|number| write(&log, number));
    let live = prepare(&outside.blueprint(APP), &log).unwrap();
    let (port, stores): (Arc<dyn Log>, Arc<dyn Stores>) = (Arc::new(log.clone()), Arc::new(MemoryStores::new()));
    let mut process = LocalProcess::start(&live, &port, &stores, "one", 1).unwrap();
    process.settle().unwrap();
    process.stop().unwrap();
    let all: Vec<i64> = (0..EVENTS).collect();
    assert_eq!((numbers(&outside.pager), numbers(&outside.mirror)), (all.clone(), all), "live, both hear everything");
    log
}

fn request(id: &str, mode: Mode) -> Request {
    Request {
        mode,
        destination: (mode == Mode::Emit).then(|| Destination::Suffix(format!(".{id}"))),
        ..Request::range(id, Edge::Time(at(RANGE.start)), Edge::Time(at(RANGE.end)))
    }
}

/// Notes what is told of sinks.
#[derive(Default)]
struct Told(Mutex<BTreeMap<String, (u64, u64)>>);

impl Observer for Told {
    fn delivered(&self, sink: &str, delivered: u64, withheld: u64) {
        let mut told = self.0.lock().unwrap();
        let told = told.entry(sink.to_owned()).or_default();
        *told = (told.0 + delivered, told.1 + withheld);
    }
}

fn keep(log: &MemoryLog, request: &Request) -> Result<RunRecord, BackfillError> {
    let blueprint = Outside::new().blueprint(APP);
    let draft = plan(&blueprint, log, request, at(0))?;
    Registry::of(&blueprint, log).keep(&draft.record)
}

fn work(log: &MemoryLog, record: &RunRecord, outside: &Outside, options: RunOptions, shutdown: &Shutdown) -> (Ended, Arc<Told>) {
    let goal =
        Goal { app: APP.into(), control: headwater_core::control_topic(APP), id: record.id.clone(), tell: Box::new(|_| ()) };
    let told = Arc::new(Told::default());
    let observer: Arc<dyn Observer> = Arc::clone(&told) as Arc<dyn Observer>;
    let world = World { log: Arc::new(log.clone()), stores: Arc::new(MemoryStores::new()), observer };
    let process = Process::prepare_bounded(&outside.blueprint(&record.app), record.bounds(), goal, world, options);
    (process.unwrap().run(shutdown).unwrap(), told)
}

fn range() -> Vec<i64> {
    RANGE.collect()
}

/// B8.
#[test]
fn a_backfill_does_not_reach_what_forbids_it() {
    let log = lived();
    let record = keep(&log, &request("again", Mode::Emit)).unwrap();
    assert_eq!(record.sinks["pager"].standing, SinkStanding::Withheld);
    assert_eq!(record.sinks["mirror"].standing, SinkStanding::Connected);
    let outside = Outside::new();
    let options = RunOptions { workers: 2, ..RunOptions::default() };
    let (ended, told) = work(&log, &record, &outside, options, &Shutdown::new());
    assert_eq!(ended, Ended::Complete);
    assert_eq!(outside.pager.calls(), [], "not invoked, and not even opened");
    assert_eq!(numbers(&outside.mirror), range(), "what belongs to the range, and nothing else");
    let told = told.0.lock().unwrap().clone();
    assert_eq!(told, BTreeMap::from([("mirror".into(), (2000, 0)), ("pager".into(), (0, 2000))]));
}

#[test]
fn a_run_that_says_nothing_delivers_nothing() {
    let log = lived();
    for mode in [Mode::StateOnly, Mode::Diff] {
        let record = keep(&log, &request(if mode == Mode::Diff { "diff" } else { "state" }, mode)).unwrap();
        let outside = Outside::new();
        let (ended, told) = work(&log, &record, &outside, RunOptions::default(), &Shutdown::new());
        assert_eq!(ended, Ended::Complete);
        assert_eq!((outside.pager.calls(), outside.mirror.calls()), (vec![], vec![]), "{mode:?}");
        assert!(told.0.lock().unwrap().is_empty(), "nothing was for them: {mode:?}");
    }
}

#[test]
fn who_is_named_is_reached_also_by_whoever_resumes_the_run() {
    let log = lived();
    let asked = BTreeMap::from([("--allow-sinks".to_owned(), "pager".to_owned())]);
    let allowed = Request { allow_sinks: vec!["pager".into()], asked: asked.clone(), ..request("paged", Mode::Emit) };
    let record = keep(&log, &allowed).unwrap();
    assert_eq!(record.sinks["pager"].standing, SinkStanding::Allowed);
    let (outside, shutdown) = (Outside::new(), Shutdown::new());
    let stopped = std::thread::scope(|scope| {
        let slow = RunOptions { max_rate: Some(500), ..RunOptions::default() };
        let running = scope.spawn(|| work(&log, &record, &outside, slow, &shutdown).0);
        until("somebody was paged", || !numbers(&outside.pager).is_empty());
        shutdown.request();
        running.join().unwrap()
    });
    assert_eq!(stopped, Ended::Stopped);
    assert!(numbers(&outside.pager).len() < 2000, "it was stopped in the middle");
    let blueprint = outside.blueprint(APP);
    let registry = Registry::of(&blueprint, &log);
    let other = BTreeMap::from([("--allow-sinks".to_owned(), "pager,mirror".to_owned())]);
    assert!(matches!(registry.resume("paged", &other), Err(BackfillError::PlannedOtherwise { .. })));
    let resumed = registry.resume("paged", &BTreeMap::new()).unwrap().unwrap();
    assert_eq!(resumed, record);
    assert_eq!(work(&log, &resumed, &outside, RunOptions::default(), &Shutdown::new()).0, Ended::Complete);
    assert_eq!((numbers(&outside.pager), numbers(&outside.mirror)), (range(), range()));
}

#[test]
fn outputs_may_be_sinks_and_what_makes_no_sense_is_refused() {
    let log = lived();
    let only = Request { outputs: Some(vec!["mirror".into()]), destination: None, ..request("only", Mode::Emit) };
    let record = keep(&log, &only).unwrap();
    assert_eq!((record.sinks["pager"].standing, &record.outputs["copies"]), (SinkStanding::Silent, &None));
    let outside = Outside::new();
    assert_eq!(work(&log, &record, &outside, RunOptions::default(), &Shutdown::new()).0, Ended::Complete);
    assert_eq!((numbers(&outside.mirror), outside.pager.calls()), (range(), vec![]));

    let refuse = |request: Request, expected: &str| {
        let error = keep(&log, &request).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let allow = |names: &[&str], request: Request| Request {
        allow_sinks: names.iter().map(|name| (*name).to_owned()).collect(),
        ..request
    };
    refuse(allow(&["pagr"], request("a", Mode::Emit)), "\"pagr\" is no sink of the topology, which has mirror, pager");
    refuse(allow(&["pager"], request("a", Mode::StateOnly)), "only --mode emit delivers to sinks");
    refuse(allow(&["pager"], request("a", Mode::Diff)), "only --mode emit delivers to sinks");
    refuse(allow(&["pager"], only.clone()), "which --outputs leaves out");
    let compared = Request { outputs: Some(vec!["mirror".into()]), ..request("a", Mode::Diff) };
    refuse(compared, "compares topics");
    let live = Request { destination: Some(Destination::Suffix(".a".into())), ..Request::then_live("a") };
    refuse(allow(&["pager"], live), "once it has taken over");
    let unknown = Request { outputs: Some(vec!["pagr".into()]), ..request("a", Mode::Emit) };
    refuse(unknown, "\"pagr\" is no output of the topology, which has copies, mirror, pager");
}

fn run(log: &MemoryLog, outside: &Outside, name: &str, side: Side, shutdown: &Shutdown) -> Result<Ended, RunError> {
    let world = World { log: Arc::new(log.clone()), stores: Arc::new(MemoryStores::new()), observer: Arc::new(Silent) };
    let options = RunOptions { process_id: name.into(), workers: 2, ..RunOptions::default() };
    Process::prepare_generation(&outside.blueprint(name), Seat { app: APP.into(), side }, world, options)?.run(shutdown)
}

#[test]
fn across_a_hand_over_each_record_is_delivered_once() {
    let log = MemoryLog::new();
    log.create_topic("events", PARTITIONS);
    let next = run_name(APP, "v2");
    let (old, new) = (Outside::new(), Outside::new());
    let (written, stop) = (AtomicI64::new(0), AtomicBool::new(false));
    let write_some = |count: i64| (0..count).for_each(|_| write(&log, written.fetch_add(1, Ordering::Relaxed)));
    write_some(5_000);
    let (stop_old, stop_new) = (Shutdown::new(), Shutdown::new());
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                write_some(5);
                let until_then = Instant::now() + Duration::from_millis(5);
                while Instant::now() < until_then {
                    std::thread::yield_now();
                }
            }
        });
        let olds = scope.spawn(|| run(&log, &old, APP, Side::Old, &stop_old));
        until("the old one delivers", || !numbers(&old.pager).is_empty());
        let news = scope.spawn(|| run(&log, &new, &next, Side::New { silent: true }, &stop_new));
        assert_eq!(olds.join().unwrap().unwrap(), Ended::HandedOver);
        until("the new one delivers", || !numbers(&new.pager).is_empty());
        stop.store(true, Ordering::Relaxed);
        writer.join().unwrap();
        let counts = BTreeMap::from([("events".to_owned(), PARTITIONS)]);
        let mut backlog = Backlog::of(&new.blueprint(&next).plan(&counts).unwrap(), &log).unwrap();
        until("everything is consumed", || backlog.remaining().is_ok_and(|remaining| remaining == 0));
        stop_new.request();
        assert_eq!(news.join().unwrap().unwrap(), Ended::Stopped);
    });
    let all: Vec<i64> = (0..written.load(Ordering::Relaxed)).collect();
    for (before, after) in [(&old.pager, &new.pager), (&old.mirror, &new.mirror)] {
        let mut together = [numbers(before), numbers(after)].concat();
        together.sort_unstable();
        assert!(together == all, "{} of {} deliveries", together.len(), all.len());
        // In silence until the cut: nothing of a key was delivered by both, and the old one's come first.
        for key in (0..KEYS).map(|key| format!("k{key}")) {
            let of_key = |sink: &TestSink| -> Vec<i64> {
                sink.arrived::<String, i64>().into_iter().filter(|out| out.key == key).map(|out| out.value).collect()
            };
            assert!(of_key(before).last() < of_key(after).first(), "{key}");
        }
        let opened = |call: &&SinkCall| matches!(call, SinkCall::Open(_));
        assert_eq!(after.calls().iter().filter(opened).count() as i32, PARTITIONS);
    }
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < SOON, "not within {SOON:?}: {what}");
        std::thread::yield_now();
    }
}
