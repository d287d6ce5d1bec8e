//! Backfills on the log in memory, with real threads: plans, their results, resuming, giving up, cleaning.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use headwater_core::bounded::{InputSpan, Mode, RunPhase, RunRecord, TimeRange};
use headwater_core::engine::EngineError;
use headwater_core::port::{Log, ReaderConfig, Stores};
use headwater_core::{Blueprint, Timestamp, TopicPartition, Topology, Tumbling, partition_for, seconds};
use headwater_runtime::backfill::{
    BackfillError, Destination, Difference, Edge, Ended, Goal, Registry, Request, clean, compare, digest, plan, run_name,
};
use headwater_runtime::{Process, RunError, RunOptions, Shutdown, Silent, World};
use headwater_testkit::{LocalProcess, MemoryLog, MemoryStores, prepare};

const PARTITIONS: i32 = 3;
const APP: &str = "app";
const SOON: Duration = Duration::from_secs(60);

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1000)
}

fn topology(t: &mut Topology) {
    counting(t, 1);
}

fn counting(t: &mut Topology, by: u64) {
    let events = t.input::<String, i64>("events").out_of_order(seconds(5));
    let names = t.table::<String, String>("names");
    let by_parity = events.rekey("by-parity", |amount| (amount % 2).to_string());
    let windows = by_parity.window(Tumbling::of(seconds(10)).grace(seconds(2)));
    let count = move |count: &mut u64, _: &i64, _: &headwater_core::At<'_, String>| {
        *count += by;
        Some(*count)
    };
    windows.fold("windows", count).to("windows");
    by_parity.join("named", &names, |amount, name| format!("{name} {amount}")).to("named");
    events.count("sums").to("sums");
}

/// Events at seconds 0 to 999, a little out of order, that a live run has processed.
struct Fixture {
    log: MemoryLog,
}

impl Fixture {
    fn new() -> Fixture {
        let log = MemoryLog::new();
        ["events", "names"].iter().for_each(|topic| log.create_topic(topic, PARTITIONS));
        let fixture = Fixture { log };
        for (key, name) in [("0", "even"), ("1", "odd")] {
            fixture.write("names", key, &format!("{name:?}"), 0);
        }
        fixture.events(0..1000);
        let live = prepare(&Blueprint::of(APP, topology).unwrap(), &fixture.log).unwrap();
        let stores: Arc<dyn Stores> = Arc::new(MemoryStores::new());
        let log: Arc<dyn Log> = Arc::new(fixture.log.clone());
        let mut process = LocalProcess::start(&live, &log, &stores, "one", 1).unwrap();
        process.settle().unwrap();
        process.stop().unwrap();
        fixture
    }

    fn events(&self, numbers: std::ops::Range<i64>) {
        for number in numbers {
            let second = if number % 5 == 0 { number - 3 } else { number }.max(0);
            self.write("events", &format!("k{}", number % 7), &number.to_string(), second);
        }
    }

    fn write(&self, topic: &str, key: &str, value: &str, second: i64) {
        let partition = partition_for(Some(key.as_bytes()), PARTITIONS, 0);
        self.log.append(topic, partition, Some(key.as_bytes()), Some(value.as_bytes()), at(second));
    }

    fn keep(&self, request: &Request) -> Result<RunRecord, BackfillError> {
        let blueprint = Blueprint::of(APP, topology).unwrap();
        let draft = plan(&blueprint, &self.log, request, at(0))?;
        Registry::of(&blueprint, &self.log).keep(&draft.record)
    }

    fn work(&self, record: &RunRecord, by: u64, options: RunOptions, shutdown: &Shutdown) -> Result<Ended, RunError> {
        let blueprint = Blueprint::of(&record.app, |t: &mut Topology| counting(t, by)).unwrap();
        let goal =
            Goal { app: APP.into(), control: headwater_core::control_topic(APP), id: record.id.clone(), tell: Box::new(|_| ()) };
        let stores: Arc<dyn Stores> = Arc::new(MemoryStores::new());
        let world = World { log: Arc::new(self.log.clone()), stores, observer: Arc::new(Silent) };
        Process::prepare_bounded(&blueprint, record.bounds(), goal, world, options)?.run(shutdown)
    }

    fn ends(&self, topic: &str) -> Vec<i64> {
        let partitions: Vec<_> = (0..PARTITIONS).map(|partition| TopicPartition::new(topic, partition)).collect();
        let config = ReaderConfig { group: "test".into(), read_uncommitted: true };
        let ends = self.log.reader(&config).unwrap().ends(&partitions).unwrap();
        ends.into_iter().map(|ends| ends.end).collect()
    }

    fn topics(&self, names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        self.log.admin().unwrap().describe(&names).unwrap().into_keys().collect()
    }

    fn differences(&self, record: &RunRecord) -> (BTreeMap<String, u64>, Vec<Difference>) {
        let mut differences = Vec::new();
        let blueprint = Blueprint::of(APP, topology).unwrap();
        let comparison = compare(&blueprint, &self.log, record, &mut |difference| differences.push(difference)).unwrap();
        assert_eq!(comparison.differences(), differences.len() as u64);
        (comparison.compared, differences)
    }
}

fn request(id: &str, from: Edge, to: Edge, mode: Mode) -> Request {
    Request { mode, ..Request::range(id, from, to) }
}

fn windows(id: &str, mode: Mode) -> Request {
    // The last of "named" goes by the order in which a repartition topic got its records, which no two runs share.
    let outputs = Some(vec!["windows".to_owned()]);
    Request { outputs, ..request(id, Edge::Time(at(300)), Edge::Time(at(600)), mode) }
}

fn options(workers: usize) -> RunOptions {
    RunOptions { workers, ..RunOptions::default() }
}

#[test]
fn a_range_of_time_is_read_with_its_warmup_and_past_its_end() {
    let fixture = Fixture::new();
    let draft = plan(&Blueprint::of(APP, topology).unwrap(), &fixture.log, &windows("june", Mode::Diff), at(0)).unwrap();
    let record = draft.record;
    assert_eq!(draft.warnings, Vec::<String>::new());
    assert_eq!(record.app, "app.june");
    assert_eq!(record.says, TimeRange { from: at(300), to: at(600) });
    // Windows of 10 s stay open for 2 s, records come up to 5 s late.
    assert_eq!(record.sees, TimeRange { from: at(300 - 12 - 5), to: at(600) });
    let events: i64 = record.spans.iter().filter(|span| span.topic == "events").map(|span| span.span.end - span.span.start).sum();
    assert!((320..=350).contains(&events), "{events} offsets for 324 seconds and what is out of order");
    let names: Vec<_> = record.spans.iter().filter(|span| span.topic == "names").map(|span| span.span.start).collect();
    assert_eq!(names, [0; 3], "tables are read from their beginning");
    assert_eq!(record.outputs["sums"], None, "not asked for");
    assert_eq!(record.outputs["windows"].as_deref(), Some("app.june-windows-diff"));
    let uneven = Request { to: Edge::Time(at(605)), ..windows("uneven", Mode::Diff) };
    let draft = plan(&Blueprint::of(APP, topology).unwrap(), &fixture.log, &uneven, at(0)).unwrap();
    assert_eq!(draft.record.sees.to, at(615), "the window that begins at 600 ends after the range");
}

#[test]
fn what_a_range_cannot_give_is_refused_by_name() {
    let fixture = Fixture::new();
    let all = request("all", Edge::Time(at(300)), Edge::Now, Mode::Diff);
    let error = fixture.keep(&all).unwrap_err();
    assert!(matches!(&error, BackfillError::Unbounded { outputs, .. } if outputs == &["sums"]), "{error}");
    assert!(error.to_string().contains("--outputs named,windows"), "{error}");
    let emit = request("emit", Edge::Earliest, Edge::Now, Mode::Emit);
    assert!(matches!(fixture.keep(&emit), Err(BackfillError::NoDestination)));
    let unknown = Request { outputs: Some(vec!["sum".into()]), ..emit.clone() };
    assert!(matches!(fixture.keep(&unknown), Err(BackfillError::Unknown { what: "output", .. })));
    let empty = request("empty", Edge::Time(at(300)), Edge::Time(at(300)), Mode::StateOnly);
    assert!(matches!(fixture.keep(&Request { outputs: Some(vec!["named".into()]), ..empty }), Err(BackfillError::Empty)));
    let offsets = |offset| Edge::Offsets(BTreeMap::from([(TopicPartition::new("events", 0), offset)]));
    let outside = request("outside", offsets(1_000_000), Edge::Now, Mode::StateOnly);
    assert!(matches!(fixture.keep(&outside), Err(BackfillError::OutsideLog { offset: 1_000_000, .. })));
    let bad = request("a b", Edge::Earliest, Edge::Now, Mode::StateOnly);
    assert!(matches!(fixture.keep(&bad), Err(BackfillError::BadId { .. })));
    assert!(fixture.topics(&["app-control"]).is_empty(), "nothing was made");
    // Only the partition named is read.
    let draft = plan(
        &Blueprint::of(APP, topology).unwrap(),
        &fixture.log,
        &request("one", offsets(5), Edge::Now, Mode::StateOnly),
        at(0),
    )
    .unwrap();
    let read: Vec<_> = draft.record.spans.iter().filter(|span| span.topic == "events" && !span.span.is_empty()).collect();
    assert_eq!(read.iter().map(|span| (span.partition, span.span.start)).collect::<Vec<_>>(), [(0, 5)]);
}

#[test]
fn a_comparison_finds_nothing_with_the_same_code_and_every_window_with_another() {
    let fixture = Fixture::new();
    let before: Vec<_> = ["windows", "named", "sums"].map(|topic| fixture.ends(topic)).into();
    for workers in [1, 2] {
        let record = fixture.keep(&windows(&format!("same-{workers}"), Mode::Diff)).unwrap();
        assert_eq!(fixture.work(&record, 1, options(workers), &Shutdown::new()).unwrap(), Ended::Complete);
        let (compared, differences) = fixture.differences(&record);
        assert_eq!(differences, []);
        // 30 windows of 10 s for each of two keys.
        assert_eq!(compared, BTreeMap::from([("windows".into(), 60)]));
    }
    let record = fixture.keep(&windows("changed", Mode::Diff)).unwrap();
    assert_eq!(fixture.work(&record, 2, options(1), &Shutdown::new()).unwrap(), Ended::Complete);
    let (_, differences) = fixture.differences(&record);
    assert_eq!(differences.len(), 60);
    assert!(differences.iter().all(|difference| difference.topic == "windows" && difference.existing != difference.recomputed));
    let after: Vec<_> = ["windows", "named", "sums"].map(|topic| fixture.ends(topic)).into();
    assert_eq!(after, before, "the outputs are as they were");
}

#[test]
fn everything_again_into_topics_of_its_own_is_what_the_live_run_wrote() {
    let fixture = Fixture::new();
    let blueprint = Blueprint::of(APP, topology).unwrap();
    let whole = request("whole", Edge::Earliest, Edge::Now, Mode::Emit);
    let record = fixture.keep(&Request { destination: Some(Destination::Suffix(".v2".into())), ..whole }).unwrap();
    assert_eq!(fixture.work(&record, 1, options(2), &Shutdown::new()).unwrap(), Ended::Complete);
    let counted = |name: &str| name != "named";
    let outputs =
        record.outputs.iter().filter(|(topic, _)| counted(topic)).map(|(topic, to)| (topic.clone(), to.clone())).collect();
    let record = RunRecord { outputs, ..record };
    let again = digest(&blueprint, &fixture.log, &record).unwrap();
    let live = RunRecord { outputs: record.outputs.keys().map(|topic| (topic.clone(), Some(topic.clone()))).collect(), ..record };
    assert_eq!(again, digest(&blueprint, &fixture.log, &live).unwrap());
    // 100 windows for two keys, seven sums.
    assert_eq!(again.keys, 200 + 7);
}

#[test]
fn a_run_is_resumed_with_the_plan_it_had_and_ends_where_that_says() {
    let fixture = Fixture::new();
    let asked = BTreeMap::from([("--from".to_owned(), "earliest".to_owned())]);
    let state = Request { asked: asked.clone(), ..request("state", Edge::Earliest, Edge::Now, Mode::StateOnly) };
    let outputs = fixture.ends("sums");
    let record = fixture.keep(&state).unwrap();
    // Slow enough to be stopped in the middle.
    let shutdown = Shutdown::new();
    let stopped = std::thread::scope(|scope| {
        let slow = RunOptions { max_rate: Some(500), ..options(1) };
        let running = scope.spawn(|| fixture.work(&record, 1, slow, &shutdown));
        until("something is committed", || committed(&fixture, &record) > 0);
        shutdown.request();
        running.join().unwrap().unwrap()
    });
    assert_eq!(stopped, Ended::Stopped);
    let done = committed(&fixture, &record);
    assert!(done < 1000, "it was stopped in the middle: {done}");
    fixture.events(1000..1100);
    let blueprint = Blueprint::of(APP, topology).unwrap();
    let registry = Registry::of(&blueprint, &fixture.log);
    let other = BTreeMap::from([("--from".to_owned(), "-7d".to_owned())]);
    assert!(matches!(registry.resume("state", &other), Err(BackfillError::PlannedOtherwise { .. })));
    assert_eq!(registry.resume("state", &asked).unwrap().as_ref(), Some(&record));
    assert_eq!(registry.resume("state", &BTreeMap::new()).unwrap().as_ref(), Some(&record), "the id is enough");
    assert_eq!(fixture.work(&record, 1, options(1), &Shutdown::new()).unwrap(), Ended::Complete);
    assert_eq!(committed(&fixture, &record), 1000, "what came later is not read");
    assert_eq!(fixture.ends("sums"), outputs, "a run for its state says nothing");
    registry.end("state", RunPhase::Done).unwrap();
    assert!(matches!(registry.resume("state", &asked), Err(BackfillError::Over { .. })));
}

fn committed(fixture: &Fixture, record: &RunRecord) -> i64 {
    let config = ReaderConfig { group: record.app.clone(), read_uncommitted: false };
    let partitions: Vec<_> = (0..PARTITIONS).map(|partition| TopicPartition::new("events", partition)).collect();
    let committed = fixture.log.reader(&config).unwrap().committed(&partitions).unwrap();
    committed.into_iter().flatten().map(|committed| committed.offset).sum()
}

#[test]
fn a_run_that_is_given_up_stops_and_leaves_nothing_once_it_is_cleaned() {
    let fixture = Fixture::new();
    let record = fixture.keep(&request("gone", Edge::Earliest, Edge::Now, Mode::StateOnly)).unwrap();
    let blueprint = Blueprint::of(APP, topology).unwrap();
    let registry = Registry::of(&blueprint, &fixture.log);
    let named = Blueprint::of(&run_name(APP, "gone"), topology).unwrap();
    let ended = std::thread::scope(|scope| {
        let slow = RunOptions { max_rate: Some(10), ..options(1) };
        let running = scope.spawn(|| fixture.work(&record, 1, slow, &Shutdown::new()));
        until("it is a member", || !fixture.log.admin().unwrap().members(&record.app).unwrap().is_empty());
        let refused = clean(&registry, &record, &named, &fixture.log, || Ok(()));
        assert!(matches!(refused, Err(BackfillError::InUse { .. })), "{refused:?}");
        assert!(!registry.standing(record.clone(), &named).unwrap().progress.is_complete());
        registry.end("gone", RunPhase::Cancelled).unwrap();
        running.join().unwrap().unwrap()
    });
    assert_eq!(ended, Ended::Cancelled);
    let removed = AtomicU64::new(0);
    let cleaned = clean(&registry, &record, &named, &fixture.log, || {
        removed.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    let topics = cleaned.unwrap().topics;
    assert!(topics.iter().all(|topic| topic.starts_with("app.gone-")) && topics.len() == 4, "{topics:?}");
    assert_eq!(removed.load(Ordering::Relaxed), 1);
    assert_eq!(fixture.topics(&topics.iter().map(String::as_str).collect::<Vec<_>>()), Vec::<String>::new());
    assert!(matches!(registry.run("gone"), Err(BackfillError::NoSuchRun { .. })));
    assert_eq!(committed(&fixture, &record), 0, "its positions are gone");
}

/// B9: what was committed stays, and nothing is skipped in silence.
#[test]
fn a_run_that_retention_has_overtaken_fails_by_name() {
    let fixture = Fixture::new();
    let record = fixture.keep(&request("late", Edge::Earliest, Edge::Now, Mode::StateOnly)).unwrap();
    let partition = TopicPartition::new("events", 0);
    fixture.log.admin().unwrap().delete_records(&[(partition.clone(), 10)]).unwrap();
    let error = fixture.work(&record, 1, options(1), &Shutdown::new()).unwrap_err();
    let named = matches!(&error, RunError::Engine(EngineError::SpanLost { partition: found, .. }) if *found == partition);
    assert!(named, "{error}");
    assert!(error.to_string().contains("`backfill clean`") && !error.to_string().contains("`reset`"), "{error}");
}

/// Nor is anything waited for that the log does not have any more.
#[test]
fn a_run_whose_input_was_made_anew_fails_by_name() {
    let fixture = Fixture::new();
    let record = fixture.keep(&request("anew", Edge::Earliest, Edge::Now, Mode::StateOnly)).unwrap();
    fixture.log.recreate_topic("events");
    fixture.events(0..10);
    let error = fixture.work(&record, 1, options(1), &Shutdown::new()).unwrap_err();
    let RunError::Engine(EngineError::SpanLost { partition, position, .. }) = &error else { panic!("{error}") };
    let is_it = |span: &&InputSpan| *span.topic == *partition.topic && span.partition == partition.partition;
    assert_eq!(*position, record.spans.iter().find(is_it).unwrap().span.end - 1);
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < SOON, "not within {SOON:?}: {what}");
        std::thread::yield_now();
    }
}
