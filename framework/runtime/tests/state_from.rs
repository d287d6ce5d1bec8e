//! Runs that begin where another one ended, with its state: together they come to what one run comes to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use headwater_core::bounded::{Finish, Mode, RunPhase, RunRecord};
use headwater_core::port::{Log, ReaderConfig};
use headwater_core::{
    Blueprint, Cx, Failure, Fired, Map, On, OnTimer, Output, Setup, Timer, Timestamp, TopicPartition, Topology, Transform,
    Tumbling, Value, partition_for, seconds,
};
use headwater_runtime::backfill::{BackfillError, Destination, Edge, Ended, Goal, Registry, Request, clean, inherit, plan};
use headwater_runtime::{Process, RunOptions, Shutdown, Silent, World};
use headwater_testkit::{MemoryLog, MemoryStores};

const PARTITIONS: i32 = 3;
const APP: &str = "app";
const STORES: [&str; 5] = ["windows", "sums", "silence-events", "silence-times", "silence-quiet"];

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1000)
}

/// Counts how often a key had nothing for more than two seconds. It goes by event time alone: each event is judged when two seconds are over, by
/// those that came until then.
struct Silence {
    events: Map<Timestamp, ()>,
    times: Value<i64>,
    quiet: Timer,
    silent: Output<i64>,
}

impl Transform for Silence {
    type Key = String;

    fn setup(s: &mut Setup<Self>) -> Self {
        Silence { events: s.map("events"), times: s.value("times"), quiet: s.timer("quiet"), silent: s.output("silent") }
    }
}

impl On<i64> for Silence {
    fn on(&mut self, _: &i64, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        let now = cx.timestamp();
        self.events.put(cx, &now, &())?;
        self.quiet.at(cx, now + seconds(2))
    }
}

impl OnTimer for Silence {
    fn on_timer(&mut self, fired: Fired, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        let event = fired.at() - seconds(2);
        self.events.remove(cx, &event)?;
        if self.events.range(cx, event..=fired.at())?.next().transpose()?.is_some() {
            return Ok(());
        }
        let times = self.times.update(cx, |times| times.unwrap_or_default() + 1)?;
        self.silent.send(cx, &times)
    }
}

fn topology(t: &mut Topology) {
    let events = t.input::<String, i64>("events").out_of_order(seconds(5));
    events.count("sums").to("sums");
    events.transform::<Silence>("silence").output(|silence| &silence.silent).to("silent");
    let by_parity = events.rekey("by-parity", |number| (number % 2).to_string());
    by_parity.window(Tumbling::of(seconds(10)).grace(seconds(4))).count("windows").to("windows");
}

struct Fixture {
    log: MemoryLog,
    blueprint: Arc<Blueprint>,
}

impl Fixture {
    fn new() -> Fixture {
        let log = MemoryLog::new();
        log.create_topic("events", PARTITIONS);
        let fixture = Fixture { log, blueprint: Blueprint::of(APP, topology).unwrap() };
        fixture.write(0..1000);
        fixture
    }

    /// An event a second, some of them three seconds late, of keys that come every other second or every eleven.
    fn write(&self, numbers: std::ops::Range<i64>) {
        for number in numbers {
            let second = if number % 5 == 0 { number - 3 } else { number }.max(0);
            let key = if number % 11 == 0 { String::from("rare") } else { format!("k{}", number % 2) };
            let partition = partition_for(Some(key.as_bytes()), PARTITIONS, 0);
            self.log.append("events", partition, Some(key.as_bytes()), Some(number.to_string().as_bytes()), at(second));
        }
    }

    fn ends(&self) -> BTreeMap<TopicPartition, i64> {
        let partitions = TopicPartition::all_of("events", PARTITIONS);
        let mut reader = self.log.reader(&ReaderConfig { group: "test".into(), read_uncommitted: true }).unwrap();
        let ends = reader.ends(&partitions).unwrap().into_iter().map(|ends| ends.end);
        partitions.into_iter().zip(ends).collect()
    }

    fn keep(&self, request: &Request) -> Result<RunRecord, BackfillError> {
        let draft = plan(&self.blueprint, &self.log, request, at(0))?;
        Registry::of(&self.blueprint, &self.log).keep(&draft.record)
    }

    fn inherit(&self, record: &RunRecord) -> Result<(), BackfillError> {
        inherit(&Fixture::named(record), APP, record, &self.log, &RunOptions::default())
    }

    fn named(record: &RunRecord) -> Arc<Blueprint> {
        Blueprint::of(&record.app, topology).unwrap()
    }

    /// Plans a run and brings it to its end.
    fn run(&self, request: &Request) -> RunRecord {
        let record = self.keep(request).unwrap();
        self.inherit(&record).unwrap();
        let goal =
            Goal { app: APP.into(), control: headwater_core::control_topic(APP), id: record.id.clone(), tell: Box::new(|_| ()) };
        let world = World { log: Arc::new(self.log.clone()), stores: Arc::new(MemoryStores::new()), observer: Arc::new(Silent) };
        let options = RunOptions { workers: 2, ..RunOptions::default() };
        let process = Process::prepare_bounded(&Fixture::named(&record), record.bounds(), goal, world, options).unwrap();
        assert_eq!(process.run(&Shutdown::new()).unwrap(), Ended::Complete);
        Registry::of(&self.blueprint, &self.log).end(&record.id, RunPhase::Done).unwrap()
    }

    /// The last value of each key.
    fn last(&self, topic: &str) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let mut last = BTreeMap::new();
        for record in (0..PARTITIONS).flat_map(|partition| self.log.read_all(topic, partition, true)) {
            let key = record.key.unwrap().to_vec();
            match record.value {
                Some(value) => drop(last.insert(key, value.to_vec())),
                None => drop(last.remove(&key)),
            }
        }
        last
    }

    /// Two runs have left the same state, and the second has said what the first said of the same keys.
    fn check(&self, whole: &RunRecord, second: &RunRecord) {
        for store in STORES {
            let [one, two] = [whole, second].map(|run| self.last(&format!("{}-{store}-changelog", run.app)));
            assert!(!one.is_empty(), "{store}");
            assert_eq!(one, two, "{store}");
        }
        for output in ["sums", "silent", "windows"] {
            let [one, two] = [whole, second].map(|run| self.last(run.outputs[output].as_ref().unwrap()));
            assert!(two.len() >= 2, "{output}: {two:?}");
            two.iter().for_each(|(key, value)| assert_eq!(one.get(key), Some(value), "{output}"));
        }
    }
}

fn request(id: &str, from: Edge, to: Edge) -> Request {
    Request { destination: Some(Destination::Suffix(format!(".{id}"))), ..Request::range(id, from, to) }
}

fn state_only(id: &str, to: Edge) -> Request {
    Request { mode: Mode::StateOnly, destination: None, ..request(id, Edge::Earliest, to) }
}

fn from_state(id: &str, source: &str) -> Request {
    Request { state_from: Some(source.into()), ..request(id, Edge::State, Edge::Now) }
}

#[test]
fn from_a_moment_on_with_the_state_of_that_moment() {
    let fixture = Fixture::new();
    let whole = fixture.run(&request("whole", Edge::Earliest, Edge::Now));
    // In the middle of a window, and of silences that somebody breaks.
    for second in [503, 505] {
        let (first, id) = (format!("to-{second}"), format!("from-{second}"));
        fixture.run(&state_only(&first, Edge::Time(at(second))));
        let rest = fixture.run(&from_state(&id, &first));
        assert_eq!((rest.sees.from, rest.says.from), (at(second), at(second)));
        fixture.check(&whole, &rest);
        let again = Request { from: Edge::Time(at(second)), ..from_state("again", &first) };
        assert_eq!(plan(&fixture.blueprint, &fixture.log, &again, at(0)).unwrap().record.spans, rest.spans);
        let elsewhere = Request { from: Edge::Time(at(second + 1)), ..from_state("elsewhere", &first) };
        let refused = plan(&fixture.blueprint, &fixture.log, &elsewhere, at(0)).unwrap_err().to_string();
        assert!(refused.contains("it ended at 1970-01-01T00:08:2") && refused.contains("this one begins at"), "{refused}");
    }
}

#[test]
fn from_offsets_on_with_the_state_and_the_clocks_there() {
    let fixture = Fixture::new();
    let middle = fixture.ends();
    // It goes on from one run to the next.
    let first = fixture.run(&request("first", Edge::Earliest, Edge::Offsets(middle.clone())));
    fixture.write(1000..1500);
    let second = fixture.run(&Request { to: Edge::Offsets(fixture.ends()), ..from_state("second", "first") });
    fixture.write(1500..2000);
    let third = fixture.run(&from_state("third", "second"));
    let whole = fixture.run(&request("whole", Edge::Earliest, Edge::Now));
    fixture.check(&whole, &third);
    let starts: BTreeMap<TopicPartition, i64> =
        second.spans.iter().map(|span| (TopicPartition::new(span.topic.as_str(), span.partition), span.span.start)).collect();
    assert_eq!(starts, middle);
    let mut elsewhere = middle.clone();
    elsewhere.values_mut().for_each(|offset| *offset -= 1);
    let refused = Request { from: Edge::Offsets(elsewhere), ..from_state("elsewhere", "first") };
    let refused = plan(&fixture.blueprint, &fixture.log, &refused, at(0)).unwrap_err().to_string();
    assert!(refused.contains("it ended at events:0=") && refused.contains("this one begins at events:0="), "{refused}");
    // It has what it needs of its own.
    let registry = Registry::of(&fixture.blueprint, &fixture.log);
    clean(&registry, &first, &Fixture::named(&first), &fixture.log, || Ok(())).unwrap();
    fixture.check(&whole, &third);
}

#[test]
fn copying_that_was_cut_short_is_done_again_and_what_has_begun_is_left_alone() {
    let fixture = Fixture::new();
    fixture.run(&state_only("base", Edge::Time(at(400))));
    let record = fixture.keep(&from_state("rest", "base")).unwrap();
    assert_eq!(record.phase, RunPhase::Preparing);
    fixture.inherit(&record).unwrap();
    let registry = Registry::of(&fixture.blueprint, &fixture.log);
    assert_eq!(registry.run("rest").unwrap().phase, RunPhase::Planned);
    let written = || -> usize { (0..PARTITIONS).map(|p| fixture.log.read_all("app.rest-sums-changelog", p, true).len()).sum() };
    let copied = written();
    assert!(copied > 0);
    // A process that looked before the other one was done.
    fixture.inherit(&record).unwrap();
    assert_eq!(written(), copied);
    let rest = fixture.run(&from_state("rest", "base"));
    let whole = fixture.run(&request("whole", Edge::Earliest, Edge::Now));
    fixture.check(&whole, &rest);
}

#[test]
fn state_that_is_not_that_of_everything_before_is_refused() {
    let fixture = Fixture::new();
    let check = |request: &Request, expected: &str| {
        let refused = plan(&fixture.blueprint, &fixture.log, request, at(0)).unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
    };
    check(&from_state("a", "nothing"), "there is no backfill \"nothing\"");
    check(&request("a", Edge::State, Edge::Now), "--state-from RUN");
    check(&request("a", Edge::Time(at(500)), Edge::Now), "--state-from RUN");
    fixture.keep(&state_only("planned", Edge::Time(at(500)))).unwrap();
    check(&from_state("a", "planned"), "it is planned");
    fixture.run(&Request { to: Edge::Time(at(505)), ..request("wrote", Edge::Earliest, Edge::Now) });
    check(&from_state("a", "wrote"), "--mode state-only leaves the state of a moment");
    fixture.run(&Request { finish: Finish::CloseWindows, ..state_only("closed", Edge::Now) });
    check(&from_state("a", "closed"), "it closed all windows");
    fixture.run(&state_only("base", Edge::Now));
    let other = Blueprint::of(APP, |t: &mut Topology| {
        t.input::<String, i64>("events").count("totals").to("sums");
    });
    let refused = plan(&other.unwrap(), &fixture.log, &from_state("a", "base"), at(0)).unwrap_err().to_string();
    assert!(refused.contains("it has the stores silence-events") && refused.contains("the topology has totals"), "{refused}");
}

#[test]
fn nothing_due_at_the_moment_or_later_has_fired() {
    let fixture = Fixture::new();
    let record = fixture.keep(&state_only("base", Edge::Time(at(503)))).unwrap();
    assert_eq!(record.bounds().fires_until, at(503) - Duration::from_millis(1));
    let emits = fixture.keep(&Request { to: Edge::Time(at(503)), ..request("emits", Edge::Earliest, Edge::Now) }).unwrap();
    assert_eq!(emits.bounds().fires_until, Timestamp::MAX);
}
