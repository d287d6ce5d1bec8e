//! `state`, `reset` and `topology` on a log and stores in memory.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use headwater_core::port::{Log, StoreError, Stores};
use headwater_core::{
    Blueprint, Cx, Failure, Fired, Map, On, OnTimer, Setup, Timer, Timestamp, TopicPartition, Topology, Transform, Tumbling,
};
use headwater_runtime::{Process, RunOptions, Shutdown, Silent, World};
use headwater_testkit::{LocalProcess, MemoryLog, MemoryStores, prepare};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::dispatch::{Invocation, dispatch};
use super::spec::{AppSpec, LocalDirectory, StoppedState, Surroundings};
use crate::admin::{AdminServer, Health, Site, StatePages, Status};
use crate::error::CliError;
use crate::metrics::PrometheusObserver;

struct Watch {
    seen: Map<i64, u64>,
    wake: Timer,
}

impl Transform for Watch {
    type Key = String;
    fn setup(s: &mut Setup<Self>) -> Self {
        Watch { seen: s.map("seen"), wake: s.timer("wake") }
    }
}

impl On<u64> for Watch {
    fn on(&mut self, event: &u64, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        self.seen.put(cx, &(*event as i64), event)?;
        self.wake.at(cx, Timestamp::from_millis(1_000_000))
    }
}

impl OnTimer for Watch {
    fn on_timer(&mut self, _fired: Fired, _cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        Ok(())
    }
}

fn topology(t: &mut Topology) {
    let events = t.input::<String, u64>("events");
    events.count("total").to("totals");
    events.window(Tumbling::of(Duration::from_secs(60))).count("minutes").to("minutes-out");
    events.transform::<Watch>("watch");
    events.rekey("by", |event| *event as i64).fold("sums", |sum: &mut u64, event, _| {
        *sum += event;
        None::<()>
    });
}

/// A log with two partitions of events, and the stores of a process that has read them.
struct Fixture {
    log: MemoryLog,
    stores: MemoryStores,
    directory: TempDir,
}

fn blueprint() -> Arc<Blueprint> {
    Blueprint::of("app", topology).unwrap()
}

impl Fixture {
    fn new() -> Fixture {
        let (log, stores) = (MemoryLog::new(), MemoryStores::new());
        log.create_topic("events", 2);
        for (partition, key, value, time) in [(0, "a", 1, 10), (0, "a", 2, 70_000), (1, "b", 2, 20)] {
            let value = format!("{value}");
            log.append("events", partition, Some(key.as_bytes()), Some(value.as_bytes()), Timestamp::from_millis(time));
        }
        let fixture = Fixture { log, stores, directory: TempDir::new().unwrap() };
        fixture.process();
        fixture
    }

    /// Runs until everything is read, then stops.
    fn process(&self) {
        let plan = prepare(&blueprint(), &self.log).unwrap();
        let log: Arc<dyn Log> = Arc::new(self.log.clone());
        let stores: Arc<dyn Stores> = Arc::new(self.stores.clone());
        let mut process = LocalProcess::start(&plan, &log, &stores, "one", 1).unwrap();
        process.settle().unwrap();
        process.stop().unwrap();
    }

    fn spec(&self) -> AppSpec {
        let (log, stores, directory) = (self.log.clone(), self.stores.clone(), self.directory.path().to_owned());
        let tasks = ["events-0", "events-1", "by-0", "by-1"].map(String::from).to_vec();
        let state = move |_: &_| {
            Ok(Some(StoppedState { path: PathBuf::from("state/app"), stores: Arc::new(stores.clone()), tasks: tasks.clone() }))
        };
        let remove = move || {
            std::fs::write(directory.join("removed"), "").map_err(|e| StoreError::Io { path: "x".into(), message: e.to_string() })
        };
        let local =
            move |_: &_, _: &str| Ok(Some(LocalDirectory { path: PathBuf::from("state/app"), remove: Box::new(remove.clone()) }));
        AppSpec {
            name: "app",
            describe: Box::new(|| Ok(blueprint().describe())),
            run: Box::new(|_| Ok(())),
            work: Box::new(|_| Err(CliError::failed("nothing runs here"))),
            surroundings: Surroundings {
                blueprint: Box::new(|_| Ok(blueprint())),
                log: Box::new(move |_| Ok(Arc::new(log.clone()))),
                state: Box::new(state),
                local: Box::new(local),
            },
            commands: Vec::new(),
        }
    }

    fn call(&self, line: &str) -> Result<String, CliError> {
        let invocation = Invocation {
            arguments: ["app"].into_iter().chain(line.split(' ')).map(Into::into).collect(),
            environment: BTreeMap::new(),
            directory: self.directory.path().to_owned(),
        };
        let mut out = Vec::new();
        dispatch(&self.spec(), &invocation, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[track_caller]
    fn check(&self, line: &str, expected: &[Value]) {
        let shown = self.call(line).unwrap();
        let rows: Vec<Value> = shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows, expected, "{line}");
    }
}

#[test]
fn a_stopped_instances_entries_are_shown_by_their_types() {
    let fixture = Fixture::new();
    fixture.check("state get total a", &[json!({"key": "a", "task": "events-0", "timestamp": 70_000, "value": 2})]);
    fixture.check("state get sums 2", &[json!({"key": 2, "task": "by-0", "timestamp": 70_000, "value": 4})]);
    let windows =
        [json!({"key": "a", "task": "events-0", "timestamp": 70_000, "value": 1, "window_start": 60_000, "window_end": 120_000})];
    fixture.check("state get minutes a", &windows);
    fixture.check("state range minutes --from 60000", &windows);
    fixture.check(
        "state range minutes --to 60000",
        &[json!({
            "key": "b", "task": "events-1", "timestamp": 20, "value": 1, "window_start": 0, "window_end": 60_000
        })],
    );
    fixture.check(
        "state get watch-seen a",
        &[
            json!({"key": "a", "map_key": 1, "task": "events-0", "timestamp": 10, "value": 1}),
            json!({"key": "a", "map_key": 2, "task": "events-0", "timestamp": 70_000, "value": 2}),
        ],
    );
    fixture.check(
        "state range watch-seen --limit 1",
        &[json!({"key": "a", "map_key": 1, "task": "events-0", "timestamp": 10, "value": 1})],
    );
    fixture.check("state get watch-wake b", &[json!({"key": "b", "task": "events-1", "time": 1_000_000})]);
    fixture.check("state range total --from b", &[json!({"key": "b", "task": "events-1", "timestamp": 20, "value": 1})]);
}

#[test]
fn a_stopped_instances_stores_are_listed() {
    let shown = Fixture::new().call("state list").unwrap();
    let rows: Vec<Value> = shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<String> =
        rows.iter().map(|row| format!("{} {}", row["store"].as_str().unwrap(), row["task"].as_str().unwrap())).collect();
    let of = |store: &str, sub: &str| [format!("{store} {sub}-0"), format!("{store} {sub}-1")];
    let expected = [
        of("minutes", "events"),
        of("sums", "by"),
        of("total", "events"),
        of("watch-seen", "events"),
        of("watch-wake", "events"),
    ];
    assert_eq!(names, expected.concat());
    assert_eq!(
        (&rows[6]["entries"], &rows[6]["kind"], &rows[6]["changelog"]),
        (&json!(2), &json!("map"), &json!("app-watch-seen-changelog"))
    );
    assert!(rows.iter().all(|row| row["changelog_offset"].is_i64() || row["entries"] == 0), "{rows:#?}");
}

#[test]
fn wrong_questions_are_told_what_is_right() {
    let fixture = Fixture::new();
    for (line, exit, part) in [
        ("state get totals a", 2, r#"there is no store "totals"; the topology has minutes, sums, total, watch-seen, watch-wake"#),
        ("state get sums many", 2, r#"store "sums" has keys of type i64: expected a number (i64), found "many""#),
        ("state range minutes --from now", 2, "expected milliseconds since 1970"),
        ("state get total c", 1, r#"store "total" has no such key in state/app"#),
        ("state range total --limit none", 2, "--limit none"),
        ("state list --admin 127.0.0.1:1", 1, "the admin server at 127.0.0.1:1 cannot be asked"),
    ] {
        let error = fixture.call(line).unwrap_err();
        assert_eq!(error.exit, exit, "{line}: {error}");
        assert!(error.message.contains(part), "{line}: {error}");
    }
    let mut spec = fixture.spec();
    spec.surroundings.state = Box::new(|_| Err(StoreError::Locked { path: "state/app".into() }.into()));
    let invocation = Invocation {
        arguments: ["app", "state", "list"].map(Into::into).to_vec(),
        environment: BTreeMap::new(),
        directory: PathBuf::new(),
    };
    let error = dispatch(&spec, &invocation, &mut Vec::new()).unwrap_err();
    assert_eq!(error.code, Some("HW0009"));
    assert!(error.message.contains("app state ... --admin HOST:PORT"), "{error}");
}

#[test]
fn a_running_instance_answers_what_is_committed() {
    let fixture = Fixture::new();
    let world = World { log: Arc::new(fixture.log.clone()), stores: Arc::new(MemoryStores::new()), observer: Arc::new(Silent) };
    let process = Process::prepare(&blueprint(), world, RunOptions { workers: 2, ..RunOptions::default() }).unwrap();
    let (pages, shutdown) = (StatePages::new(), Shutdown::new());
    pages.serve(process.state_desk());
    let site = Site {
        description: blueprint().describe(),
        metrics: Arc::new(PrometheusObserver::new("app").unwrap()),
        status: Arc::new(Status::default()),
        health: Health::new(),
        state: Some(pages),
    };
    let server = AdminServer::start("127.0.0.1:0", site).unwrap();
    let admin = format!("--admin {}", server.address());
    thread::scope(|scope| {
        let _stop = StopWhenDropped(&shutdown);
        let running = scope.spawn(|| process.run(&shutdown));
        let began = Instant::now();
        // Restored from changelogs: nothing is read anew.
        while fixture.call(&format!("state list {admin}")).map_or(0, |shown| shown.lines().count()) < 10 {
            assert!(began.elapsed() < Duration::from_secs(30) && !running.is_finished(), "it does not get ready");
        }
        fixture.check(
            &format!("state get total a {admin}"),
            &[json!({"key": "a", "task": "events-0", "timestamp": 70_000, "value": 2})],
        );
        fixture.check(
            &format!("state range total --from b {admin}"),
            &[json!({"key": "b", "task": "events-1", "timestamp": 20, "value": 1})],
        );
        let not_found = fixture.call(&format!("state get total c/d {admin}")).unwrap_err();
        assert!(not_found.message.contains(r#"store "total" has no such key (it would be in task events-"#), "{not_found}");
        assert!(fixture.call(&format!("state get nothing a {admin}")).unwrap_err().message.contains("there is no store"));
        assert!(fixture.call(&format!("state get sums x {admin}")).unwrap_err().message.contains("expected a number"));
        // Somebody else takes half of it over.
        let other = LocalProcess::start(
            &prepare(&blueprint(), &fixture.log).unwrap(),
            &(Arc::new(fixture.log.clone()) as Arc<dyn Log>),
            &(Arc::new(MemoryStores::new()) as Arc<dyn Stores>),
            "other",
            1,
        );
        let mut other = other.unwrap();
        let began = Instant::now();
        // Of eight keys each partition is home to some.
        let elsewhere =
            |error: &CliError| error.message.contains("the key belongs to partition") && error.message.contains("\"events\"");
        let asked = |key: i32| fixture.call(&format!("state get total key-{key} {admin}")).unwrap_err();
        while !(0..8).any(|key| elsewhere(&asked(key))) {
            other.turn().unwrap();
            assert!(began.elapsed() < Duration::from_secs(30), "nothing is taken over");
        }
        shutdown.request();
        // The other one must go on answering the group until the first has left.
        while !running.is_finished() {
            other.turn().unwrap();
        }
        running.join().unwrap().unwrap();
        assert!(fixture.call(&format!("state list {admin}")).unwrap_err().message.contains("did not answer"));
    });
}

/// A test that fails must not wait for the process it started.
struct StopWhenDropped<'a>(&'a Shutdown);

impl Drop for StopWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.request();
    }
}

fn position(log: &MemoryLog, partition: i32) -> Option<i64> {
    log.committed("app", &TopicPartition::new("events", partition)).map(|committed| committed.offset)
}

fn exists(log: &MemoryLog, topic: &str) -> bool {
    !log.admin().unwrap().describe(&[topic.to_owned()]).unwrap().is_empty()
}

#[test]
fn a_reset_is_shown_first_and_done_when_told() {
    let fixture = Fixture::new();
    let log = &fixture.log;
    log.create_topic("app-of-somebody-else-changelog", 1);
    let shown = fixture.call("reset").unwrap();
    let expected = "reset of app on localhost:9092, would do:
  position  events-0: 2 -> earliest
  position  events-1: 1 -> earliest
  delete    internal topic app-by-repartition
  delete    internal topic app-minutes-changelog
  delete    internal topic app-sums-changelog
  delete    internal topic app-total-changelog
  delete    internal topic app-watch-seen-changelog
  delete    internal topic app-watch-wake-changelog
  remove    local state state/app
nothing was changed; do it with --yes
";
    assert_eq!(shown, expected);
    assert!(exists(log, "app-total-changelog") && position(log, 0) == Some(2));

    let done = fixture.call("reset --outputs --yes").unwrap();
    assert!(done.contains("delete    output topic totals\n") && done.contains("doing:") && done.contains("\ndone."), "{done}");
    for topic in ["app-by-repartition", "app-total-changelog", "app-control", "totals", "minutes-out"] {
        assert!(!exists(log, topic), "{topic}");
    }
    assert!(exists(log, "events") && exists(log, "app-of-somebody-else-changelog"));
    assert_eq!((position(log, 0), position(log, 1)), (None, None));
    assert_eq!(log.committed("app", &TopicPartition::new("app-by-repartition", 0)), None);
    assert!(fixture.directory.path().join("removed").exists());

    let again = Fixture { stores: MemoryStores::new(), ..fixture };
    again.process();
    again.check("state get total a", &[json!({"key": "a", "task": "events-0", "timestamp": 70_000, "value": 2})]);
}

#[test]
fn a_reset_moves_positions_where_it_is_told() {
    let fixture = Fixture::new();
    for (flags, zero, one) in [
        ("--to-latest", Some(2), Some(1)),
        ("--to-offset 1", Some(1), Some(1)),
        ("--to-datetime 1970-01-01T00:00:30Z", Some(1), Some(1)),
        ("--to-datetime 15", Some(1), Some(0)),
        ("--by-duration 1h", Some(2), Some(1)),
        ("--shift-by -1", Some(1), Some(0)),
        ("--shift-by 100", Some(2), Some(1)),
        ("--inputs events --to-earliest", None, None),
        ("--shift-by 1", Some(1), Some(1)),
    ] {
        fixture.call(&format!("reset {flags} --yes")).unwrap();
        assert_eq!((position(&fixture.log, 0), position(&fixture.log, 1)), (zero, one), "{flags}");
    }
}

#[test]
fn a_reset_that_cannot_be_says_why() {
    let fixture = Fixture::new();
    for (line, exit, part) in [
        ("reset --inputs event", 2, r#""event" is no input of the topology, which reads events"#),
        ("reset --to-offset one", 2, "--to-offset one: expected a whole number"),
        ("reset --to-offset 1 --to-latest", 2, "cannot be used with"),
        ("reset --by-duration 5", 2, "expected a duration"),
    ] {
        let error = fixture.call(line).unwrap_err();
        assert_eq!(error.exit, exit, "{line}: {error}");
        assert!(error.message.contains(part), "{line}: {error}");
    }
    let plan = prepare(&blueprint(), &fixture.log).unwrap();
    let log: Arc<dyn Log> = Arc::new(fixture.log.clone());
    let stores: Arc<dyn Stores> = Arc::new(fixture.stores.clone());
    let mut running = LocalProcess::start(&plan, &log, &stores, "one", 1).unwrap();
    running.settle().unwrap();
    for line in ["reset", "reset --yes"] {
        let error = fixture.call(line).unwrap_err();
        assert_eq!(error.code, Some("HW0023"));
        assert!(error.message.contains("member-0"), "{error}");
    }
    assert_eq!(position(&fixture.log, 0), Some(2));
    running.stop().unwrap();
    let world = || World { log: Arc::clone(&log), stores: Arc::clone(&stores), observer: Arc::new(Silent) };
    assert!(Process::prepare(&blueprint(), world(), RunOptions::default()).is_ok(), "a refused reset leaves no mark");
}

#[test]
fn a_topology_is_compared_with_a_manifest_kept() {
    let fixture = Fixture::new();
    let manifest = fixture.call("topology --output manifest").unwrap();
    std::fs::write(fixture.directory.path().join("kept.json"), &manifest).unwrap();
    assert_eq!(fixture.call("topology --diff kept.json").unwrap(), "");
    let older = manifest.replace("\"window_ms\": 60000", "\"window_ms\": 1").replace("\"total\"", "\"sum\"");
    std::fs::write(fixture.directory.path().join("kept.json"), older).unwrap();
    let error = fixture.call("topology --diff kept.json").unwrap_err();
    assert_eq!((error.code, error.exit), (Some("HW0020"), 1));
    assert!(error.message.starts_with("2 of "), "{error}");
    std::fs::write(fixture.directory.path().join("kept.json"), "{}").unwrap();
    assert!(fixture.call("topology --diff kept.json").unwrap_err().message.ends_with("it has no format"));
}
