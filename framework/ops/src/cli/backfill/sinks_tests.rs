//! What `backfill` says of sinks, on a log in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_core::port::Log;
use headwater_core::{Blueprint, ReplayEffect, Timestamp};
use headwater_runtime::backfill::Goal;
use headwater_runtime::{Process, RunOptions, World};
use headwater_testkit::{MemoryLog, MemoryStores, TestSink};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::dispatch::{Invocation, dispatch};
use crate::cli::spec::{AppSpec, BoundedWork, Surroundings};
use crate::error::CliError;
use crate::run_error::run_error;

struct Fixture {
    log: MemoryLog,
    mail: TestSink,
    table: TestSink,
}

impl Fixture {
    fn new() -> Fixture {
        let log = MemoryLog::new();
        log.create_topic("events", 1);
        for number in 0..5 {
            log.append("events", 0, Some(b"k"), Some(b"1"), Timestamp::from_millis(number));
        }
        Fixture { log, mail: TestSink::new(ReplayEffect::Forbidden), table: TestSink::new(ReplayEffect::Idempotent) }
    }

    fn blueprint(&self) -> impl Fn(&str) -> Arc<Blueprint> + Send + Sync + use<> {
        let (mail, table) = (self.mail.clone(), self.table.clone());
        move |name| {
            let describe = |t: &mut headwater_core::Topology| {
                let events = t.input::<String, u64>("events");
                events.to("copies");
                events.deliver("mail", mail.clone());
                events.deliver("table", table.clone());
            };
            Blueprint::of(name, describe).unwrap()
        }
    }

    fn spec(&self) -> AppSpec {
        let log: Arc<dyn Log> = Arc::new(self.log.clone());
        let (describe, named, given) = (self.blueprint(), self.blueprint(), self.blueprint());
        let work = move |work: BoundedWork| {
            let BoundedWork { log, record, observer, tell, shutdown, .. } = work;
            let goal = Goal { app: "app".into(), control: "app-control".into(), id: record.id.clone(), tell };
            let world = World { log, stores: Arc::new(MemoryStores::new()), observer };
            let process = Process::prepare_bounded(&named(&record.app), record.bounds(), goal, world, RunOptions::default());
            process.and_then(|process| process.run(&shutdown)).map_err(run_error)
        };
        AppSpec {
            name: "app",
            describe: Box::new(move || Ok(describe("app").describe())),
            run: Box::new(|_| Ok(())),
            work: Box::new(work),
            surroundings: Surroundings {
                blueprint: Box::new(move |name| Ok(given(name))),
                log: Box::new(move |_| Ok(Arc::clone(&log))),
                state: Box::new(|_| Ok(None)),
                local: Box::new(|_, _| Ok(None)),
            },
            commands: Vec::new(),
        }
    }

    fn call(&self, line: &str) -> Result<String, CliError> {
        let directory = TempDir::new().unwrap();
        let invocation = Invocation {
            arguments: format!("app {line}").split(' ').map(Into::into).collect(),
            environment: BTreeMap::new(),
            directory: directory.path().to_owned(),
        };
        let mut out = Vec::new();
        dispatch(&self.spec(), &invocation, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }
}

const RUN: &str = "backfill --from earliest --to now --output-suffix .v2 --id v2";

#[test]
fn a_plan_says_who_is_reached() {
    let fixture = Fixture::new();
    let shown = fixture.call(&format!("{RUN} --dry-run")).unwrap();
    assert!(shown.contains("  withhold  what is for sink mail (forbidden); --allow-sinks mail would deliver it\n"), "{shown}");
    assert!(shown.contains("  deliver   to sink table (idempotent)\n"), "{shown}");
    let shown = fixture.call(&format!("{RUN} --allow-sinks mail --dry-run")).unwrap();
    assert!(shown.contains("  deliver   to sink mail (forbidden), because --allow-sinks names it\n"), "{shown}");
    let shown = fixture.call("backfill --from earliest --to now --mode state-only --dry-run").unwrap();
    assert!(shown.contains("  silent    sink mail (forbidden)\n") && shown.contains("  silent    sink table"), "{shown}");
    let shown = fixture.call("backfill --from earliest --then-live --id v2 --dry-run").unwrap();
    assert!(shown.contains("  withhold  what is for sink mail (forbidden) until it has taken over\n"), "{shown}");
    let json: Value = serde_json::from_str(&fixture.call(&format!("{RUN} --dry-run --report json")).unwrap()).unwrap();
    assert_eq!(json["plan"]["sinks"]["mail"], json!({"replay": "forbidden", "standing": "withheld"}));
    assert_eq!(json["plan"]["sinks"]["table"], json!({"replay": "idempotent", "standing": "connected"}));
}

#[test]
fn a_report_says_what_was_withheld_and_the_flag_is_kept_with_the_run() {
    let fixture = Fixture::new();
    let told = fixture.call(RUN).unwrap();
    assert!(told.contains("  withheld  mail: 5 records, because it forbids replays\n"), "{told}");
    assert!(told.contains("  delivered table: 5 records\n"), "{told}");
    assert_eq!((fixture.mail.calls().len(), fixture.table.arrived::<String, u64>().len()), (0, 5));
    let again = RUN.replace("v2", "v3");
    let told = fixture.call(&format!("{again} --allow-sinks mail --report json")).unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    let mail = json!({"replay": "forbidden", "standing": "allowed", "delivered": 5, "withheld": 0});
    assert_eq!(told["sinks"]["mail"], mail);
    assert_eq!(fixture.mail.arrived::<String, u64>().len(), 5);
    let listed: Value = serde_json::from_str(&fixture.call("backfill status v3 --output json").unwrap()).unwrap();
    assert_eq!(listed["asked"]["--allow-sinks"], "mail");
    assert_eq!(listed["sinks"]["mail"]["standing"], "allowed");
}

#[test]
fn the_flag_refuses_what_makes_no_sense() {
    let fixture = Fixture::new();
    for (line, says) in [
        (format!("{RUN} --allow-sinks mial"), "\"mial\" is no sink of the topology, which has mail, table"),
        ("backfill --from earliest --to now --mode diff --allow-sinks mail".into(), "only --mode emit delivers to sinks"),
        ("backfill --from earliest --to now --mode state-only --allow-sinks mail".into(), "only --mode emit delivers to sinks"),
        (format!("{RUN} --outputs copies --allow-sinks mail"), "which --outputs leaves out"),
        ("backfill --from earliest --then-live --allow-sinks mail".into(), "once it has taken over"),
    ] {
        let error = fixture.call(&line).unwrap_err();
        assert!(error.message.contains(says), "{line}: {}", error.message);
    }
}

#[test]
fn a_topology_shows_its_sinks() {
    let fixture = Fixture::new();
    let text = fixture.call("topology").unwrap();
    assert!(text.contains("    Sink: mail (outside of Kafka, replay: forbidden)\n      <-- events\n"), "{text}");
    let mermaid = fixture.call("topology --output mermaid").unwrap();
    assert!(mermaid.contains("[[\"table<br/>replay: idempotent\"]]"), "{mermaid}");
    let json: Value = serde_json::from_str(&fixture.call("topology --output json").unwrap()).unwrap();
    let nodes = json["subtopologies"][0]["nodes"].as_array().unwrap();
    let mail = nodes.iter().find(|node| node["name"] == "mail").unwrap();
    assert_eq!((&mail["kind"], &mail["replay"]), (&"delivery".into(), &"forbidden".into()));
}
