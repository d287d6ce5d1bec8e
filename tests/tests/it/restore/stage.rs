//! An application that counts, its changelog, and a state directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use headwater::adapters::{RocksStores, StoreOptions};
use headwater::port::{Checkpoint, Log, NewTopic, OpenStore, ProducerConfig, StateStores, StoreRange, Stores};
use headwater::{
    Blueprint, Observer, Outgoing, Process, RunOptions, Shutdown, Timestamp, TopicName, TopicPartition, Topology, World,
};
use headwater_kafka::KafkaLog;
use headwater_tests::{KafkaBroker, kafka_jars, until};
use tempfile::TempDir;

use crate::kafka::support::{PATIENCE, unique};

pub const STORE: &str = "counts";

/// What a run was told.
#[derive(Default)]
pub struct Seen {
    pub recovered: Vec<(String, &'static str)>,
    pub applied: u64,
    pub restored: bool,
}

#[derive(Default)]
struct Watch(Mutex<Seen>);

impl Observer for Watch {
    fn recovered(&self, store: &str, reason: &'static str) {
        self.0.lock().unwrap().recovered.push((store.to_owned(), reason));
    }
    fn restoring(&self, _store: &str, _partition: i32, applied: u64, _remaining: u64) {
        self.0.lock().unwrap().applied += applied;
    }
    fn restored(&self, _task: &str, _took: std::time::Duration) {
        self.0.lock().unwrap().restored = true;
    }
}

pub struct Stage {
    pub log: KafkaLog,
    pub app: String,
    events: TopicName,
    directory: TempDir,
}

impl Stage {
    /// An application of its own, its input empty, its changelog made so that records may be deleted from its beginning.
    pub fn new(name: &str) -> Stage {
        let log = KafkaBroker::shared().log();
        let app = unique(name);
        let stage = Stage { log, events: format!("{app}-events").into(), app, directory: TempDir::new().unwrap() };
        stage.create(&stage.events, "delete");
        stage.create(&stage.changelog(), "compact,delete");
        stage
    }

    fn create(&self, topic: &str, policy: &str) {
        let config = [("cleanup.policy", policy), ("retention.ms", "-1")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let topic = NewTopic { name: topic.to_owned(), partitions: 1, replication: None, config: BTreeMap::from(config) };
        self.log.admin().unwrap().create(&[topic]).unwrap();
    }

    pub fn changelog(&self) -> TopicName {
        format!("{}-{STORE}-changelog", self.app).into()
    }

    pub fn changelog_partition(&self) -> TopicPartition {
        TopicPartition::new(self.changelog(), 0)
    }

    /// The path of a state directory.
    pub fn state(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes one event per key.
    pub fn send(&self, keys: impl IntoIterator<Item = String>) {
        self.write(&self.events, keys, b"1");
    }

    /// Writes to the changelog past the application, as if another member had.
    pub fn write_changelog(&self, keys: impl IntoIterator<Item = String>, value: &[u8]) {
        self.write(&self.changelog(), keys, value);
    }

    fn write(&self, topic: &TopicName, keys: impl IntoIterator<Item = String>, value: &[u8]) {
        let mut producer = self.log.producer(&ProducerConfig { transactional_id: None }).unwrap();
        for key in keys {
            let timestamp = Timestamp::from_millis(1);
            let (key, value) = (Some(key.as_bytes()), Some(value));
            producer.send(Outgoing { topic, partition: 0, key, value, timestamp, headers: &[], track_offset: false }).unwrap();
        }
        producer.flush().unwrap();
    }

    /// Deletes the changelog and makes it again.
    pub fn recreate_changelog(&self) {
        let libs = format!("{}/*", kafka_jars::directory().display());
        let deleted = Command::new("java")
            .args(["-cp", &libs, "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", &KafkaBroker::shared().bootstrap()])
            .args(["--delete", "--topic", &self.changelog()])
            .status();
        assert!(deleted.is_ok_and(|status| status.success()));
        let names = [self.changelog().to_string()];
        let mut admin = self.log.admin().unwrap();
        until("the topic is gone", PATIENCE, || admin.describe(&names).unwrap().is_empty().then_some(()));
        self.create(&self.changelog(), "compact,delete");
    }

    /// Runs the application on a state directory until it has restored its task, has processed everything, and `enough` says so.
    pub fn run(&self, state: &Path, options: &StoreOptions, enough: impl Fn(&Seen) -> bool) -> Result<Seen, String> {
        let events = self.events.to_string();
        let topology = move |t: &mut Topology| drop(t.input::<String, i64>(&events).count(STORE));
        let blueprint = Blueprint::of(&self.app, topology).unwrap();
        let stores: Arc<dyn Stores> = Arc::new(RocksStores::open(state, &self.app, options.clone()).unwrap());
        let watch = Arc::new(Watch::default());
        let world = World { log: Arc::new(self.log.clone()), stores, observer: Arc::clone(&watch) as Arc<dyn Observer> };
        let options = RunOptions { process_id: self.app.clone(), ..RunOptions::default() };
        let process = Process::prepare(&blueprint, world, options).unwrap();
        let mut backlog = headwater::Backlog::of(process.plan(), &self.log).unwrap();
        let shutdown = Shutdown::new();
        let ran = std::thread::scope(|scope| {
            let running = scope.spawn(|| process.run(&shutdown));
            until("the application is where it should be", PATIENCE * 4, || {
                let there = enough(&watch.0.lock().unwrap());
                (running.is_finished() || (there && backlog.remaining().unwrap_or(1) == 0)).then_some(())
            });
            shutdown.request();
            running.join().unwrap()
        });
        ran.map_err(|error| error.to_string())?;
        Ok(std::mem::take(&mut *watch.0.lock().unwrap()))
    }

    /// The same until the task is restored.
    pub fn run_restored(&self, state: &Path) -> Seen {
        self.run(state, &StoreOptions::default(), |seen| seen.restored).unwrap()
    }

    /// The task's store on disk; nobody else may have it open.
    pub fn with_store<T>(&self, state: &Path, look: impl FnOnce(&mut dyn StateStores) -> T) -> T {
        let stores = RocksStores::open(state, &self.app, StoreOptions::default()).unwrap();
        let names: Vec<String> = stores.tasks().unwrap();
        assert_eq!(names.len(), 1, "{names:?}");
        let mut task = stores.open(&names[0], &[OpenStore { name: STORE.to_owned() }]).unwrap();
        look(&mut *task)
    }

    /// Its keys.
    pub fn keys(&self, state: &Path) -> Vec<String> {
        self.with_store(state, |task| {
            let entries = task.scan(0, StoreRange { from: b"", to: None }).unwrap();
            entries.map(|entry| String::from_utf8(entry.unwrap().0.to_vec()).unwrap()).collect()
        })
    }

    pub fn checkpoint(&self, state: &Path) -> Checkpoint {
        self.with_store(state, |task| task.checkpoint(0).unwrap().expect("the store has a checkpoint"))
    }
}
