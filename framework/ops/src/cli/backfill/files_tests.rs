//! `backfill --input` from the command line to the results, on a log and stores in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_core::port::{Log, Stores};
use headwater_core::{Blueprint, Topology, Tumbling, seconds};
use headwater_runtime::backfill::Goal;
use headwater_runtime::{Process, RunOptions, World};
use headwater_testkit::{MemoryLog, MemoryStores};
use serde_json::Value;
use tempfile::TempDir;

use crate::cli::dispatch::{Invocation, dispatch};
use crate::cli::spec::{AppSpec, BoundedWork, Surroundings};
use crate::error::CliError;
use crate::run_error::run_error;

const ROWS: &str = "who,at,amount\nann,2024-06-01T00:00:01Z,5\nbob,2024-06-01T00:00:02Z,NA\nann,2024-06-01T00:00:30Z,7\n";

fn topology(t: &mut Topology) {
    let events = t.input::<String, Value>("events");
    let _names = t.table::<String, Value>("names");
    events.window(Tumbling::of(seconds(10))).count("hits").to("hits");
    events.rekey("by-amount", |event| event["amount"].as_i64().unwrap_or(-1)).count("amounts").to("amounts");
}

fn blueprint(name: &str) -> Arc<Blueprint> {
    Blueprint::of(name, topology).unwrap()
}

struct Fixture {
    log: MemoryLog,
    directory: TempDir,
}

impl Fixture {
    fn new() -> Fixture {
        let fixture = Fixture { log: MemoryLog::new(), directory: TempDir::new().unwrap() };
        fixture.write("events.csv", ROWS);
        fixture
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.directory.path().join(name), text).unwrap();
    }

    fn spec(&self) -> AppSpec {
        let log: Arc<dyn Log> = Arc::new(self.log.clone());
        let work = |work: BoundedWork| {
            let BoundedWork { log, record, observer, tell, shutdown, .. } = work;
            let stores: Arc<dyn Stores> = Arc::new(MemoryStores::new());
            let goal = Goal { app: "app".into(), control: "app-control".into(), id: record.id.clone(), tell };
            let named = blueprint(&record.app).reading(&record.staged);
            let world = World { log, stores, observer };
            let process = Process::prepare_bounded(&named, record.bounds(), goal, world, RunOptions::default());
            process.and_then(|process| process.run(&shutdown)).map_err(run_error)
        };
        AppSpec {
            name: "app",
            describe: Box::new(|| Ok(blueprint("app").describe())),
            run: Box::new(|_| Ok(())),
            work: Box::new(work),
            surroundings: Surroundings {
                blueprint: Box::new(|name| Ok(blueprint(name))),
                log: Box::new(move |_| Ok(Arc::clone(&log))),
                state: Box::new(|_| Ok(None)),
                local: Box::new(|_, _| Ok(None)),
            },
            commands: Vec::new(),
        }
    }

    /// Calls `app backfill`; `@` is the directory of the files.
    fn call(&self, line: &str) -> Result<String, CliError> {
        let line = format!("app backfill {}", line.replace('@', &format!("{}/", self.directory.path().display())));
        let invocation = Invocation {
            arguments: line.split(' ').map(Into::into).collect(),
            environment: BTreeMap::new(),
            directory: self.directory.path().to_owned(),
        };
        let mut out = Vec::new();
        dispatch(&self.spec(), &invocation, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[track_caller]
    fn refuses(&self, line: &str, says: &str) {
        let error = self.call(line).unwrap_err();
        assert!(error.message.contains(says), "{line}: {}", error.message);
    }

    fn topics(&self, names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        self.log.admin().unwrap().describe(&names).unwrap().into_keys().collect()
    }
}

const EVENTS: &str = "--input events=@events.csv,key=who,time=at";

#[test]
fn a_file_is_computed_from_its_beginning_to_its_end() {
    let fixture = Fixture::new();
    fixture.log.create_topic("names", 2);
    let shown = fixture.call(&format!("{EVENTS} --mode state-only --id try --dry-run")).unwrap();
    assert!(shown.contains("file      events: its rows are in app.try-events-file"), "{shown}");
    assert!(shown.contains("read      app.try-events-file: 3 offsets"), "{shown}");
    assert_eq!(fixture.topics(&["app.try-events-file", "app-control"]), Vec::<String>::new(), "nothing is made");

    let run = format!("{EVENTS} --output-suffix .try --finish close-windows --id try");
    let shown = fixture.call(&run).unwrap();
    assert!(shown.contains("backfill try complete") && shown.contains("app.try-events-file: 3 records"), "{shown}");
    // Two windows of ann's, one of bob's; amounts 5, 7 and none.
    assert!(shown.contains("over 6 keys"), "{shown}");
    fixture.refuses(&run, "is done");
    let shown = fixture.call("clean try").unwrap();
    assert!(shown.contains("removed  topic app.try-events-file") && shown.contains("kept     topic hits.try"), "{shown}");
    assert!(fixture.topics(&["app.try-events-file"]).is_empty());
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_written() {
    let fixture = Fixture::new();
    fixture.log.create_topic("names", 2);
    for (line, says) in [
        ("--input events --mode state-only", "INPUT=PATH"),
        (&format!("{EVENTS} {EVENTS} --mode state-only"), "twice"),
        (&format!("{EVENTS} --inputs names --mode state-only"), "--inputs leaves out"),
        (&format!("{EVENTS} --then-live --same-output --yes-same-output"), "--then-live with files needs --to TIME"),
        (&format!("{EVENTS} --then-live --to events:0=1 --same-output --yes-same-output"), "--to takes a time"),
        (&format!("{EVENTS} --then-live --to now --mode diff"), "leave --mode out"),
        ("--input others=@events.csv,key=who --from earliest --to now --mode state-only", "\"others\" is no input"),
        ("--input names=@events.csv,key=who --mode state-only", "--from is missing"),
        (EVENTS, "where should results go?"),
        (&format!("{EVENTS} --outputs none --mode diff"), "\"none\" is no output"),
        ("--input events=@events.csv,time=at --mode state-only", "key=COLUMN"),
        ("--input events=@events.csv,key=who --mode state-only", "time=COLUMN"),
        ("--input events=@none.csv,key=who,time=at --mode state-only", "none.csv"),
        ("--input events=@events.csv,key=who,time=amount --mode state-only --dry-run", "line 3, column \"amount\""),
    ] {
        fixture.refuses(&format!("{line} --id try"), says);
        assert!(fixture.topics(&["app.try-events-file", "app-control"]).is_empty(), "{line}");
    }
}

#[test]
fn a_file_that_is_corrected_is_gone_on_with_and_one_that_is_given_up_is_removed() {
    let fixture = Fixture::new();
    fixture.log.create_topic("names", 2);
    fixture.write("wrong.csv", &format!("{ROWS}ann,soon,7\n"));
    let wrong = EVENTS.replace("events.csv", "wrong.csv");
    let run = format!("{wrong} --mode state-only --id try");
    fixture.refuses(&run, "wrong.csv, line 5, column \"at\": \"soon\": expected a time");
    assert_eq!(fixture.topics(&["app.try-events-file"]).len(), 1);
    fixture.refuses("status try", "there is no backfill");
    assert!(fixture.call("clean try").unwrap().contains("had no plan yet"));
    assert!(fixture.topics(&["app.try-events-file"]).is_empty());
    fixture.refuses("clean try", "there is no backfill");
    fixture.refuses(&run, "line 5");
    fixture.write("wrong.csv", ROWS);
    assert!(fixture.call(&run).unwrap().contains("try complete"));
    assert!(fixture.call("status try").unwrap().contains("progress  "));
}
