//! Files as inputs of a backfill, on the log in memory: each row once whatever happens, and the same results as from a topic.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use headwater_core::bounded::{Mode, RunRecord};
use headwater_core::port::{Log, LogError, ProducerConfig, Stores};
use headwater_core::{Blueprint, Outgoing, Record, Timestamp, Topology, Tumbling, seconds};
use headwater_files::{FileOptions, FileRecords};
use headwater_runtime::backfill::{
    BackfillError, Destination, Edge, Ended, Goal, Registry, Request, Rows, Staged, abandon, clean, compare, count, digest, plan,
    stage,
};
use headwater_runtime::{Process, RunOptions, Shutdown, Silent, World};
use headwater_testkit::{Call, Fault, LocalProcess, MemoryLog, MemoryStores, prepare};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

const APP: &str = "app";
const TRANSACTIONS: &str = "app.run-file-events";
const TOPIC: &str = "app.run-events-file";

#[derive(Serialize, Deserialize)]
struct Event {
    who: String,
    amount: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct Name {
    name: String,
}

fn topology(t: &mut Topology) {
    let events = t.input::<String, Event>("events").out_of_order(seconds(5));
    let names = t.table::<String, Name>("names");
    events.window(Tumbling::of(seconds(10)).grace(seconds(2))).count("windows").to("windows");
    events.count("sums").to("sums");
    let by_parity = events.rekey("by-parity", |event| (event.amount.unwrap_or(0) % 2).to_string());
    by_parity.count("parities").to("parities");
    events.join("named", &names, |event, name| format!("{} {:?}", name.name, event.amount)).to("named");
}

fn blueprint() -> Arc<Blueprint> {
    Blueprint::of(APP, topology).unwrap()
}

struct Fixture {
    log: MemoryLog,
    directory: TempDir,
}

impl Fixture {
    fn new() -> Fixture {
        Fixture { log: MemoryLog::new(), directory: TempDir::new().unwrap() }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Events at a second each, a little out of order; now and then one without a key.
    fn events(&self, name: &str, rows: i64) -> PathBuf {
        let mut text = String::from("who,at,amount\n");
        for row in 0..rows {
            let second = if row % 5 == 0 { row - 3 } else { row }.max(0);
            let who = if row % 100 == 99 { "NA".to_owned() } else { format!("w{}", row % 7) };
            let amount = if row % 10 == 0 { "NA".to_owned() } else { row.to_string() };
            writeln!(text, "{who},{},{amount}", Timestamp::from_millis(second * 1000)).unwrap();
        }
        self.write(name, &text)
    }

    fn names(&self) -> PathBuf {
        let lines: String = (0..7).map(|who| format!("{{\"who\":\"w{who}\",\"name\":\"Number {who}\"}}\n")).collect();
        self.write("names.jsonl", &lines)
    }

    /// The file's rows, up to where the process that reads them is killed.
    fn rows(input: &str, path: &PathBuf, killed_at: usize) -> Result<Rows, String> {
        let options = FileOptions::new().key("who");
        let options = if input == "events" { options.time("at").text("who") } else { options };
        let records = FileRecords::open(path, &options, &blueprint().declared_input(input).unwrap());
        let records = records.map_err(|error| error.to_string())?.map(|record| record.map_err(|error| error.to_string()));
        Ok(Box::new(records.take(killed_at).chain((killed_at < usize::MAX).then(|| Err(String::from("killed"))))))
    }

    fn stage(&self, input: &str, path: &PathBuf, killed_at: usize) -> Result<Staged, BackfillError> {
        stage(&blueprint(), &self.log, "run", input, &|| Fixture::rows(input, path, killed_at))
    }

    /// What is committed, by partition.
    fn staged(&self, partitions: i32) -> Vec<Vec<Record>> {
        let bare = |record: Record| Record { offset: 0, ..record };
        let read = |partition| self.log.read_all(TOPIC, partition, true).into_iter().map(bare).collect();
        (0..partitions).map(read).collect()
    }

    fn check_staged(&self, path: &PathBuf, partitions: i32) {
        let declared = blueprint().declared_input("events").unwrap();
        let mut expected = vec![Vec::new(); partitions as usize];
        for record in Fixture::rows("events", path, usize::MAX).unwrap() {
            let record = record.unwrap();
            let partition = declared.partition_for(record.key.as_deref(), partitions, record.offset);
            expected[partition as usize].push(Record { offset: 0, ..record });
        }
        assert!(self.staged(partitions) == expected, "every row once, in the file's order");
    }

    /// The same records in the inputs' own topics, and what a live run makes of them.
    fn run_live(&self, events: &PathBuf, names: &PathBuf) {
        for (input, path) in [("names", names), ("events", events)] {
            self.log.create_topic(input, 3);
            let declared = blueprint().declared_input(input).unwrap();
            for record in Fixture::rows(input, path, usize::MAX).unwrap() {
                let record = record.unwrap();
                let partition = declared.partition_for(record.key.as_deref(), 3, record.offset);
                self.log.append(input, partition, record.key.as_deref(), record.value.as_deref(), record.timestamp);
            }
        }
        let live = prepare(&blueprint(), &self.log).unwrap();
        let (log, stores): (Arc<dyn Log>, Arc<dyn Stores>) = (Arc::new(self.log.clone()), Arc::new(MemoryStores::new()));
        let mut process = LocalProcess::start(&live, &log, &stores, "one", 1).unwrap();
        process.settle().unwrap();
        process.stop().unwrap();
    }

    fn work(&self, record: &RunRecord) -> Ended {
        let blueprint = Blueprint::of(&record.app, topology).unwrap().reading(&record.staged);
        let control = headwater_core::control_topic(APP);
        let goal = Goal { app: APP.into(), control, id: record.id.clone(), tell: Box::new(|_| ()) };
        let stores: Arc<dyn Stores> = Arc::new(MemoryStores::new());
        let world = World { log: Arc::new(self.log.clone()), stores, observer: Arc::new(Silent) };
        let options = RunOptions { workers: 2, ..RunOptions::default() };
        Process::prepare_bounded(&blueprint, record.bounds(), goal, world, options).unwrap().run(&Shutdown::new()).unwrap()
    }
}

fn request(mode: Mode, staged: BTreeMap<String, Staged>) -> Request {
    Request {
        staged,
        mode,
        destination: (mode == Mode::Emit).then(|| Destination::Suffix(".again".into())),
        ..Request::range("run", Edge::Earliest, Edge::Now)
    }
}

#[test]
fn rows_are_there_once_however_often_it_is_begun() {
    let fixture = Fixture::new();
    fixture.log.create_topic("events", 3);
    let path = fixture.events("events.csv", 25_000);
    let killed = fixture.stage("events", &path, 15_000);
    assert!(matches!(&killed, Err(BackfillError::File(why)) if why == "killed"), "{killed:?}");
    let committed = |fixture: &Fixture| fixture.staged(3).iter().map(Vec::len).sum::<usize>();
    assert_eq!(committed(&fixture), 10_000, "whole transactions");
    // One that was killed in the middle of a transaction.
    let config = ProducerConfig { transactional_id: Some(TRANSACTIONS.into()) };
    let mut lost = fixture.log.producer(&config).unwrap();
    lost.init().unwrap();
    lost.begin().unwrap();
    let topic = TOPIC.into();
    let (key, value) = (Some(b"w1".as_slice()), Some(b"{}".as_slice()));
    let timestamp = Timestamp::from_millis(0);
    lost.send(Outgoing { topic: &topic, partition: 0, key, value, timestamp, headers: &[], track_offset: false }).unwrap();
    // And two commits that fail, one of them so that the producer is of no use any more.
    for error in [LogError::AbortTransaction("test".into()), LogError::Unusable("test".into())] {
        fixture.log.inject(Fault { transactional_id: Some(TRANSACTIONS.into()), call: Call::Commit, error });
    }
    let staged = fixture.stage("events", &path, usize::MAX).unwrap();
    assert_eq!((staged.topic.as_str(), staged.rows, staged.ends.len()), (TOPIC, 25_000, 3));
    fixture.check_staged(&path, 3);
    assert_eq!(fixture.stage("events", &path, usize::MAX).unwrap(), staged, "there is nothing left to do");
    fixture.check_staged(&path, 3);
    assert!(lost.commit(&[], &headwater_core::port::GroupMetadata::none(APP)).is_err(), "whoever was before is fenced");
}

#[test]
fn another_file_or_process_does_not_mix_with_what_is_there() {
    let fixture = Fixture::new();
    let path = fixture.events("events.csv", 12_000);
    assert!(fixture.stage("events", &path, 11_000).is_err());
    let shorter = fixture.events("shorter.csv", 5_000);
    let other = fixture.write("other.csv", &std::fs::read_to_string(&path).unwrap().replacen("w3", "w4", 1));
    for wrong in [&shorter, &other] {
        let error = fixture.stage("events", wrong, usize::MAX).unwrap_err();
        assert!(matches!(&error, BackfillError::FileChanged { rows: 10_000, .. }), "{error}");
        assert!(error.to_string().contains("another --id"), "{error}");
    }
    let error = LogError::Fenced("test".into());
    fixture.log.inject(Fault { transactional_id: Some(TRANSACTIONS.into()), call: Call::Commit, error });
    let error = fixture.stage("events", &path, usize::MAX).unwrap_err();
    assert!(matches!(error, BackfillError::StagedElsewhere { .. }), "{error}");
    // What is behind the rows that are there may be corrected.
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(",11501\n"));
    let corrected = fixture.write("corrected.csv", &text.replace(",11501\n", ",-1\n"));
    assert_eq!(fixture.stage("events", &corrected, usize::MAX).unwrap().rows, 12_000);
    // Neither topic exists: there is nothing to go by.
    fixture.check_staged(&corrected, 4);
}

#[test]
fn nothing_is_made_of_a_file_that_cannot_be_read() {
    let fixture = Fixture::new();
    let blueprint = blueprint();
    let missing = fixture.directory.path().join("missing.csv");
    assert!(matches!(fixture.stage("events", &missing, usize::MAX), Err(BackfillError::File(_))));
    assert!(matches!(fixture.stage("event", &missing, usize::MAX), Err(BackfillError::Unknown { what: "input", .. })));
    let path = fixture.events("events.csv", 1000);
    let counted = count(&blueprint, &fixture.log, "run", "events", &|| Fixture::rows("events", &path, usize::MAX)).unwrap();
    assert_eq!((counted.rows, counted.ends.iter().sum::<i64>()), (1000, 1000));
    assert_eq!(abandon(&blueprint, &fixture.log, "run").unwrap(), Vec::<String>::new(), "nothing was made");
    // As many partitions as what is read by the same tasks.
    fixture.log.create_topic("names", 2);
    assert_eq!(fixture.stage("events", &path, usize::MAX).unwrap().ends.len(), 2);
    assert_eq!(abandon(&blueprint, &fixture.log, "run").unwrap(), [TOPIC]);
}

#[test]
fn results_are_those_of_a_topic_with_the_same_records() {
    let fixture = Fixture::new();
    let (events, names) = (fixture.events("events.csv", 3000), fixture.names());
    fixture.run_live(&events, &names);
    let blueprint = blueprint();
    let registry = Registry::of(&blueprint, &fixture.log);
    for mode in [Mode::Diff, Mode::Emit] {
        let staged = [("events", &events), ("names", &names)]
            .map(|(input, path)| (input.to_owned(), fixture.stage(input, path, usize::MAX).unwrap()));
        let draft = plan(&blueprint, &fixture.log, &request(mode, staged.into()), Timestamp::from_millis(0)).unwrap();
        assert_eq!(draft.warnings, Vec::<String>::new());
        let record = registry.keep(&draft.record).unwrap();
        assert_eq!(registry.run("run").unwrap(), record, "the plan remembers what it reads");
        assert_eq!(record.staged["names"], "app.run-names-file");
        let named = Blueprint::of(&record.app, topology).unwrap().reading(&record.staged);
        assert_eq!(fixture.work(&record), Ended::Complete);
        assert!(registry.standing(record.clone(), &named).unwrap().progress.is_complete());
        if mode == Mode::Diff {
            let mut differences = Vec::new();
            let compared = compare(&blueprint, &fixture.log, &record, &mut |difference| differences.push(difference)).unwrap();
            assert_eq!(differences, []);
            assert_eq!(compared.compared.keys().collect::<Vec<_>>(), ["named", "parities", "sums", "windows"]);
            assert_eq!((compared.compared["sums"], compared.compared["parities"]), (7, 2));
        } else {
            let live = record.outputs.keys().map(|topic| (topic.clone(), Some(topic.clone()))).collect();
            let live = RunRecord { outputs: live, ..record.clone() };
            let again = digest(&blueprint, &fixture.log, &record).unwrap();
            assert_eq!(again, digest(&blueprint, &fixture.log, &live).unwrap());
            assert!(again.keys > 1000, "{again:?}");
        }
        let cleaned = clean(&registry, &record, &named, &fixture.log, || Ok(())).unwrap();
        assert!(cleaned.topics.contains(&TOPIC.to_owned()) && cleaned.topics.contains(&"app.run-names-file".to_owned()));
    }
}
