//! Bounded runs: the same topology over a part of its inputs gives what the live run gave, and ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use headwater_core::bounded::{Bounded, Completion, Finish, Span, TimeRange};
use headwater_core::port::{GroupMetadata, Log, Producer, ProducerConfig, ReaderConfig, Stores};
use headwater_core::{
    Blueprint, Cx, Failure, Fired, On, OnTimer, Outgoing, Output, Plan, Setup, Timer, Timestamp, TopicPartition, Topology,
    Transform, Tumbling, partition_for, seconds,
};
use headwater_testkit::{LocalProcess, MemoryLog, MemoryStores, prepare};

const PARTITIONS: i32 = 3;

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1000)
}

fn topology(t: &mut Topology) {
    let events = t.input::<String, i64>("events").out_of_order(seconds(5));
    let names = t.table::<String, String>("names");
    let by_parity = events.rekey("by-parity", |amount| (amount % 2).to_string());
    by_parity.window(Tumbling::of(seconds(10)).grace(seconds(2))).count("windows").to("windows");
    by_parity.join("named", &names, |amount, name| format!("{name} {amount}")).to("named");
    events
        .fold("sums", |sum: &mut i64, amount, _at| {
            *sum += amount;
            Some(*sum)
        })
        .to("sums");
}

struct World {
    log: MemoryLog,
}

impl World {
    /// Events at seconds 0 to 99, a little out of order, in three partitions.
    fn new() -> World {
        let log = MemoryLog::new();
        ["events", "names"].iter().for_each(|topic| log.create_topic(topic, PARTITIONS));
        for (key, name) in [("0", "even"), ("1", "odd")] {
            let partition = partition_for(Some(key.as_bytes()), PARTITIONS, 0);
            let value = format!("{name:?}");
            log.append("names", partition, Some(key.as_bytes()), Some(value.as_bytes()), at(0));
        }
        for number in 0..100_i64 {
            let key = format!("k{}", number % 7);
            let partition = partition_for(Some(key.as_bytes()), PARTITIONS, 0);
            let second = if number % 5 == 0 { number - 3 } else { number }.max(0);
            log.append("events", partition, Some(key.as_bytes()), Some(number.to_string().as_bytes()), at(second));
        }
        World { log }
    }

    fn plan(&self, app: &str) -> Arc<Plan> {
        prepare(&Blueprint::of(app, topology).unwrap(), &self.log).unwrap()
    }

    fn process(&self, plan: &Arc<Plan>, stores: &Arc<dyn Stores>, workers: usize) -> LocalProcess {
        let log: Arc<dyn Log> = Arc::new(self.log.clone());
        LocalProcess::start(plan, &log, stores, "one", workers).unwrap()
    }

    /// All of the inputs as they are now.
    fn spans(&self) -> BTreeMap<TopicPartition, Span> {
        let mut reader = self.log.reader(&ReaderConfig { group: "anybody".into(), read_uncommitted: true }).unwrap();
        let partitions =
            ["events", "names"].into_iter().flat_map(|topic| (0..PARTITIONS).map(move |p| TopicPartition::new(topic, p)));
        let partitions: Vec<TopicPartition> = partitions.collect();
        let ends = reader.ends(&partitions).unwrap();
        partitions.into_iter().zip(ends).map(|(partition, ends)| (partition, Span { start: ends.start, end: ends.end })).collect()
    }

    /// A bounded run under another name, its outputs under other names too.
    fn bounded(&self, app: &str, change: impl FnOnce(&mut Bounded)) -> Arc<Plan> {
        let mut bounds = Bounded::of(self.spans());
        for output in ["windows", "named", "sums"] {
            let instead = format!("{output}.{app}");
            self.log.create_topic(&instead, PARTITIONS);
            bounds.outputs.insert(output.into(), Some(instead.as_str().into()));
        }
        change(&mut bounds);
        self.plan(app).within(bounds)
    }

    fn is_complete(&self, plan: &Plan) -> bool {
        let config = ReaderConfig { group: plan.blueprint().app().to_owned(), read_uncommitted: false };
        let mut reader = self.log.reader(&config).unwrap();
        Completion::of(plan).unwrap().look(reader.as_mut()).unwrap().is_complete()
    }

    /// The last value per key.
    fn last(&self, topic: &str) -> BTreeMap<Vec<u8>, String> {
        let records = (0..PARTITIONS).flat_map(|partition| self.log.read_all(topic, partition, true));
        let text = |bytes: bytes::Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        records.map(|record| (record.key.unwrap().to_vec(), text(record.value.unwrap()))).collect()
    }

    /// What an output is compared by: a join's results come in the order in which upstream tasks are read, so all of them,
    /// sorted; else the last value per key.
    fn outcome(&self, output: &str, topic: &str) -> Vec<(Vec<u8>, String)> {
        if output != "named" {
            return self.last(topic).into_iter().collect();
        }
        let records = (0..PARTITIONS).flat_map(|partition| self.log.read_all(topic, partition, true));
        let text = |bytes: bytes::Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        let mut all: Vec<_> = records.map(|record| (record.key.unwrap().to_vec(), text(record.value.unwrap()))).collect();
        all.sort();
        all
    }

    /// The newest event time of a topic's records.
    fn newest(&self, topic: &str) -> Timestamp {
        let records = (0..PARTITIONS).flat_map(|partition| self.log.read_all(topic, partition, true));
        let records = records.filter(|record| record.key.is_some());
        records.map(|record| record.timestamp).max().unwrap_or(Timestamp::MIN)
    }

    /// Results of a live run in one partition.
    fn sums_of(&self, partition: usize) -> usize {
        self.log.read_all("sums", i32::try_from(partition).unwrap(), true).len()
    }

    fn count(&self, topic: &str) -> usize {
        (0..PARTITIONS).map(|partition| self.log.read_all(topic, partition, true).len()).sum()
    }
}

fn memory() -> Arc<dyn Stores> {
    Arc::new(MemoryStores::new())
}

#[test]
fn a_bounded_run_gives_what_the_live_run_gave_and_ends() {
    let world = World::new();
    let mut live = world.process(&world.plan("app"), &memory(), 1);
    live.settle().unwrap();
    live.stop().unwrap();
    for workers in [1, 2, 3] {
        let app = format!("app.w{workers}");
        let plan = world.bounded(&app, |_| {});
        assert!(!world.is_complete(&plan));
        // What comes after the plan was made is not part of it.
        let partition = partition_for(Some(b"k0"), PARTITIONS, 0);
        world.log.append("events", partition, Some(b"k0"), Some(b"1000000"), at(200));
        let mut run = world.process(&plan, &memory(), workers);
        run.settle().unwrap();
        assert!(world.is_complete(&plan));
        for output in ["windows", "named", "sums"] {
            let found = world.outcome(output, &format!("{output}.{app}"));
            assert_eq!(found, world.outcome(output, output), "{output} by {workers} workers");
            assert_eq!(world.count(&format!("{output}.{app}")), world.count(output));
        }
        run.stop().unwrap();
        // The live run takes it up, so that the next comparison is with the same input.
        let mut live = world.process(&world.plan("app"), &memory(), 1);
        live.settle().unwrap();
        live.stop().unwrap();
    }
}

#[test]
fn a_run_that_is_killed_again_and_again_ends_with_the_same() {
    let world = World::new();
    let mut live = world.process(&world.plan("app"), &memory(), 1);
    live.settle().unwrap();
    live.stop().unwrap();
    let plan = world.bounded("app.k", |_| {});
    let stores = memory();
    let mut lives = 0;
    while !world.is_complete(&plan) {
        lives += 1;
        assert!(lives < 1000, "it does not end");
        let disk = if lives % 3 == 0 { Arc::clone(&stores) } else { memory() };
        let mut run = world.process(&plan, &disk, 2);
        for turn in 0..4 + lives % 5 {
            if turn % 2 == 0 { run.turn() } else { run.work() }.unwrap();
        }
        // Gone without a word; the group notices.
        drop(run);
        for member in world.log.members("app.k") {
            world.log.expire_member("app.k", &member.id);
        }
    }
    for output in ["windows", "named", "sums"] {
        assert_eq!(world.outcome(output, &format!("{output}.app.k")), world.outcome(output, output), "{output}");
        assert_eq!(world.count(&format!("{output}.app.k")), world.count(output));
    }
}

/// Nothing holds a task back that is far ahead in event time, and nothing has to (docs/decisions/skew.md).
#[test]
fn how_far_tasks_are_ahead_of_each_other_makes_no_difference() {
    let world = World::new();
    let mut live = world.process(&world.plan("app"), &memory(), 1);
    live.settle().unwrap();
    live.stop().unwrap();
    for first in 0..3 {
        let app = format!("app.s{first}");
        let plan = world.bounded(&app, |_| {});
        let mut run = world.process(&plan, &memory(), 3);
        // One worker after the other reads all it can before the next one begins.
        for number in [first, (first + 1) % 3, (first + 2) % 3] {
            let mut quiet = 0;
            while quiet < 10 {
                // What waits for the other workers goes on waiting.
                run.serve_group().unwrap();
                quiet = if run.serve_worker(number).unwrap() { 0 } else { quiet + 1 };
                run.advance(seconds(1));
            }
            if number == first {
                // A third of the partitions is read to its end, a hundred seconds ahead of the others, which have not begun.
                let newest = world.newest(&format!("{app}-by-parity-repartition"));
                assert!(newest >= at(90), "worker {first} got to {newest} only");
                assert_eq!(world.count(&format!("sums.{app}")), world.sums_of(first));
            }
        }
        run.settle().unwrap();
        assert!(world.is_complete(&plan));
        for output in ["windows", "named", "sums"] {
            let found = world.outcome(output, &format!("{output}.{app}"));
            assert_eq!(found, world.outcome(output, output), "{output} with worker {first} ahead");
            assert_eq!(world.count(&format!("{output}.{app}")), world.count(output), "nothing is late for it");
        }
    }
}

#[test]
fn a_range_of_time_sees_and_says_what_belongs_to_it() {
    let world = World::new();
    let mut live = world.process(&world.plan("app"), &memory(), 1);
    live.settle().unwrap();
    let range = TimeRange { from: at(30), to: at(60) };
    let plan = world.bounded("app.r", |bounds| {
        (bounds.sees, bounds.says) = (TimeRange { from: at(20), to: at(60) }, range);
        bounds.outputs.insert("sums".into(), None);
    });
    let mut run = world.process(&plan, &memory(), 2);
    run.settle().unwrap();
    assert!(world.is_complete(&plan));
    let start = |key: &[u8]| i64::from_be_bytes(*key.last_chunk::<8>().unwrap());
    let mut expected = world.last("windows");
    expected.retain(|key, _| (30_000..60_000).contains(&start(key)));
    assert_eq!(expected.len(), 6);
    assert_eq!(world.last("windows.app.r"), expected);
    assert_eq!(world.count("sums.app.r"), 0, "an output that is left out");
    assert_eq!(world.count("named.app.r"), 30);
}

#[test]
fn closing_windows_at_the_end_is_on_request() {
    let world = World::new();
    let open = |plan: &Arc<Plan>| {
        let mut run = world.process(plan, &memory(), 1);
        run.settle().unwrap();
        assert!(world.is_complete(plan));
        let changelog = format!("{}-windows-changelog", plan.blueprint().app());
        let records = (0..PARTITIONS).flat_map(|partition| world.log.read_all(&changelog, partition, true));
        let last: BTreeMap<_, _> = records.map(|record| (record.key, record.value)).collect();
        last.values().filter(|value| value.is_some()).count()
    };
    assert_eq!(open(&world.bounded("app.o", |_| {})), 2 * 2, "the last windows are still open");
    assert_eq!(open(&world.bounded("app.c", |bounds| bounds.finish = Finish::CloseWindows)), 0);
}

/// An open transaction with a record.
fn transaction(log: &MemoryLog, topic: &str, timestamp: Timestamp) -> Box<dyn Producer> {
    let mut writer = log.producer(&ProducerConfig { transactional_id: Some("writer".into()) }).unwrap();
    writer.init().unwrap();
    writer.begin().unwrap();
    let (topic, key, value) = (topic.into(), Some(&b"k"[..]), Some(&b"1"[..]));
    writer.send(Outgoing { topic: &topic, partition: 0, key, value, timestamp, headers: &[], track_offset: false }).unwrap();
    writer
}

/// Says each second, for ever, how late it is.
struct Clock {
    timer: Timer,
    ticks: Output<i64>,
}

impl Transform for Clock {
    type Key = String;

    fn setup(s: &mut Setup<Self>) -> Self {
        Clock { timer: s.timer("timer"), ticks: s.output("ticks") }
    }
}

impl On<i64> for Clock {
    fn on(&mut self, _event: &i64, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        self.timer.at(cx, cx.timestamp() + seconds(1))
    }
}

impl OnTimer for Clock {
    fn on_timer(&mut self, fired: Fired, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        self.ticks.send(cx, &fired.at().as_millis())?;
        self.timer.at(cx, fired.at() + seconds(1))
    }
}

#[test]
fn event_time_passes_the_end_once_however_often_a_task_is_taken_over() {
    let log = MemoryLog::new();
    log.create_topic("events", 1);
    let blueprint = Blueprint::of("app.t", |t| {
        let events = t.input::<String, i64>("events").out_of_order(seconds(5));
        events.transform::<Clock>("clock").output(|clock| &clock.ticks).to("ticks");
    });
    let plan = prepare(&blueprint.unwrap(), &log).unwrap();
    for second in [10, 20] {
        log.append("events", 0, Some(b"k"), Some(b"1"), at(second));
    }
    let mut writer = transaction(&log, "events", at(30));
    let spans = BTreeMap::from([(TopicPartition::new("events", 0), Span { start: 0, end: 3 })]);
    let plan = plan.within(Bounded { finish: Finish::CloseWindows, ..Bounded::of(spans) });
    let handle: Arc<dyn Log> = Arc::new(log.clone());
    let start = || LocalProcess::start(&plan, &handle, &memory(), "one", 1).unwrap();
    let ticks = || log.read_all("ticks", 0, true).len();
    let mut run = start();
    run.settle().unwrap();
    assert_eq!(ticks(), 5, "up to the watermark");
    writer.abort().unwrap();
    // It learns that nothing follows, and commits before its tasks have another turn, as a worker may that is held back by a rate.
    let worker = &mut run.workers_mut()[0];
    worker.poll(Duration::ZERO).unwrap();
    worker.commit(Duration::ZERO).unwrap();
    // One a second from the first event on, up to the last timer that was set when the input ended.
    assert_eq!(ticks(), 11);
    drop(run);
    log.members("app.t").iter().for_each(|member| assert!(log.expire_member("app.t", &member.id)));
    for _ in 0..2 {
        let mut run = start();
        run.settle().unwrap();
        run.stop().unwrap();
        assert_eq!(ticks(), 11);
    }
}

#[test]
fn what_is_next_does_not_depend_on_when_a_transaction_within_the_span_ends() {
    let log = MemoryLog::new();
    ["left", "right"].iter().for_each(|topic| log.create_topic(topic, 1));
    let blueprint = Blueprint::of("app.o", |t| {
        let (left, right) = (t.input::<String, i64>("left"), t.input::<String, i64>("right"));
        let text = |text: &mut String, amount: &i64, _at: &headwater_core::At<'_, String>| {
            text.push_str(&amount.to_string());
            Some(text.clone())
        };
        left.merge(&right).fold("text", text).to("text");
    });
    let plan = prepare(&blueprint.unwrap(), &log).unwrap();
    log.append("right", 0, Some(b"k"), Some(b"2"), at(2));
    let mut writer = transaction(&log, "left", at(1));
    let spans = ["left", "right"].map(|topic| (TopicPartition::new(topic, 0), Span { start: 0, end: 1 }));
    let plan = plan.within(Bounded::of(BTreeMap::from(spans)));
    let handle: Arc<dyn Log> = Arc::new(log.clone());
    let mut run = LocalProcess::start(&plan, &handle, &memory(), "one", 1).unwrap();
    run.settle().unwrap();
    assert_eq!(log.read_all("text", 0, true).len(), 0, "the left input may have something that comes first");
    writer.commit(&[], &GroupMetadata::none("writers")).unwrap();
    run.settle().unwrap();
    let texts: Vec<_> = log.read_all("text", 0, true).into_iter().filter_map(|record| record.value).collect();
    assert_eq!(texts, [&b"\"1\""[..], b"\"12\""]);
}
