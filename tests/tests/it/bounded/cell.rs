//! A restore of one shape: a worker that takes over the only task of an application whose store's log looks like that.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use headwater::adapters::{RocksStores, StoreOptions};
use headwater_core::engine::{EngineOptions, Worker};
use headwater_core::port::{Committed, Log, NewTopic, Stores};
use headwater_core::{Blueprint, Plan, TopicName, Topology};
use headwater_kafka::{KafkaConfig, KafkaLog};
use headwater_tests::{BrokerOptions, KafkaBroker, until};
use tempfile::TempDir;

use super::shapes::{self, Shape, Writer};
use crate::kafka::support::*;

/// What is restored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A store from its changelog: up to the end of the log.
    Changelog,
    /// A table from its topic: up to the position that was committed.
    Table,
}

/// A broker that compacts as soon as it can.
fn broker() -> &'static KafkaBroker {
    static BROKER: OnceLock<KafkaBroker> = OnceLock::new();
    BROKER.get_or_init(|| {
        let properties = vec![
            ("log.cleaner.backoff.ms", "100".to_owned()),
            ("log.cleaner.dedupe.buffer.size", (8 << 20).to_string()),
            ("log.cleaner.threads", "1".to_owned()),
        ];
        KafkaBroker::start_with(&BrokerOptions { properties, ..BrokerOptions::default() })
    })
}

/// A reader fetches little at a time: a log can be truncated under it.
pub fn config() -> KafkaConfig {
    KafkaConfig { fetch_ahead: 64 << 10, ..broker().config() }
}

/// What is given: the application, its topics, its state directory.
struct Subject {
    log: KafkaLog,
    plan: Arc<Plan>,
    /// The log that the store is restored from.
    topic: TopicName,
    store: String,
    directory: TempDir,
}

impl Subject {
    fn new(shape: Shape, kind: Kind) -> Subject {
        let log = KafkaLog::new(config()).unwrap();
        let (app, input, table) = (unique("bounded"), unique("events"), unique("rows"));
        let describe = |t: &mut Topology| {
            let events = t.input::<String, String>(&input);
            match kind {
                Kind::Changelog => events.count("counts").to("totals"),
                Kind::Table => events.join("with-row", &t.table::<String, String>(&table), |_, row| row.clone()).to("joined"),
            }
        };
        let blueprint = Blueprint::of(&app, describe).unwrap();
        let (topic, store) = match kind {
            Kind::Changelog => (format!("{app}-counts-changelog"), "counts".to_owned()),
            Kind::Table => (table.clone(), table),
        };
        create(&log, &input, &[]);
        create(&log, &topic, &shapes::config(shape));
        let counts = blueprint.input_topics().into_iter().map(|topic| (topic, 1)).collect();
        let plan = blueprint.plan(&counts).unwrap();
        Subject { log, plan, topic: topic.into(), store, directory: TempDir::new().unwrap() }
    }

    fn worker(&self) -> Worker {
        let stores = RocksStores::open(self.directory.path(), self.plan.blueprint().app(), StoreOptions::default()).unwrap();
        let (log, stores): (Arc<dyn Log>, Arc<dyn Stores>) = (Arc::new(self.log.clone()), Arc::new(stores));
        let options = EngineOptions {
            transactional_id: Some(unique("bounded")),
            commit_interval: Duration::from_millis(100),
            marker_interval: Duration::from_secs(1),
            idle_timeout: Duration::from_secs(30),
            buffer_bytes: 1 << 20,
            dirty_bytes: 1 << 20,
            ..EngineOptions::default()
        };
        Worker::new(Arc::clone(&self.plan), log, stores, options).unwrap()
    }
}

pub fn check(shape: Shape, kind: Kind) {
    let subject = Subject::new(shape, kind);
    let app = subject.plan.blueprint().app().to_owned();
    let (_member, metadata) = joined(&subject.log, &app, &[&subject.topic]);
    let mut writer = Writer::new(&subject.log, &subject.topic, 0, &metadata);
    shapes::before(shape, &mut writer);
    if kind == Kind::Table {
        let position = Committed { offset: shapes::stable_end(shape, &writer), metadata: String::new() };
        let mut producer = transactional(&subject.log, &unique("position"));
        producer.begin().unwrap();
        producer.commit(&[(p(&subject.topic, 0), position)], &metadata).unwrap();
        if shape == Shape::OpenTransaction {
            writer.committed = BTreeMap::from([("a".into(), "1".into())]);
        }
    }

    let task = subject.plan.tasks().remove(0);
    let mut worker = subject.worker();
    worker.start(task.clone()).unwrap();
    // Some of it, so that what happens next happens in the middle.
    let _ = worker.poll(TICK).unwrap();
    let before: HashMap<String, String> = writer.committed.clone().into_iter().collect();
    shapes::meanwhile(shape, &mut writer);
    let worker = restored(&subject, worker);

    let found: HashMap<String, String> = writer
        .keys
        .iter()
        .filter_map(|key| {
            let stored = worker.read_state(&task, &subject.store, key.as_bytes()).unwrap()?;
            // A table's row is kept with a format byte and its timestamp in front.
            let value = if kind == Kind::Table { stored.slice(9..) } else { stored };
            Some((key.clone(), String::from_utf8(value.to_vec()).unwrap()))
        })
        .collect();
    let mut expected: HashMap<String, String> = writer.committed.into_iter().collect();
    // Fetched before it was cut off, all of it is as right as what is left.
    if shape == Shape::TruncatedWhileReading && found.len() > expected.len() {
        expected = before;
    }
    assert_eq!(found.len(), expected.len(), "{shape:?}, {kind:?}: {:?}", found.keys());
    assert!(found == expected, "{shape:?}, {kind:?}: {found:?}");
}

/// Polls until the task processes. A log that is cut off under the reader may end the process with an error that names partition and
/// offsets; then the next one, on the same state directory, must find its way.
fn restored(subject: &Subject, worker: Worker) -> Worker {
    let task = subject.plan.tasks().remove(0);
    let (mut current, mut restarts) = (Some(worker), 0);
    until("the restore", PATIENCE, || {
        let worker = current.as_mut().expect("there is always one between two looks");
        if worker.task_counts() == (0, 1) {
            return current.take();
        }
        if let Err(error) = worker.poll(TICK) {
            let text = error.to_string();
            assert!(text.contains(&*subject.topic) && text.contains("out of range"), "{text}");
            restarts += 1;
            assert_eq!(restarts, 1, "{text}");
            // The state directory has one owner at a time.
            drop(current.take());
            current.insert(subject.worker()).start(task.clone()).unwrap();
        }
        None
    })
}

fn create(log: &KafkaLog, name: &str, config: &[(&str, &str)]) {
    let config = config.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let topic = NewTopic { name: name.to_owned(), partitions: 1, replication: None, config };
    log.admin().unwrap().create(&[topic]).unwrap();
}
