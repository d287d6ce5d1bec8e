//! Testing an application without a broker: typed records in, typed records out.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use headwater_core::port::{Log, Stores};
use headwater_core::{Blueprint, Codec, Json, Key, Plan, Record, TaskId, Timestamp, Topology, partition_for};
use headwater_files::{FileOptions, FileRecords};

use crate::local::{LocalProcess, prepare};
use crate::{MemoryLog, MemoryStores};

/// Runs a topology in memory, step by step: the same engine as in production, including serialisation, repartition topics,
/// changelogs and transactions. Everything is processed when a call returns.
///
/// # Panics
/// Every method panics with the engine's own message when the topology is invalid or a record fails: a test wants to end there.
pub struct TestDriver {
    log: MemoryLog,
    stores: MemoryStores,
    plan: Arc<Plan>,
    process: Option<LocalProcess>,
    partitions: i32,
    /// The next offset to read of each output partition.
    read: BTreeMap<(String, i32), i64>,
}

/// A record of an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Out<K, V> {
    /// Its key.
    pub key: K,
    /// Its value.
    pub value: V,
    /// Its event time.
    pub timestamp: Timestamp,
}

impl TestDriver {
    /// A driver for the topology, every topic with one partition.
    pub fn new(app: &str, topology: impl Fn(&mut Topology)) -> TestDriver {
        TestDriver::with_partitions(app, 1, topology)
    }

    /// The same with several partitions: records meet other tasks, results must not change.
    pub fn with_partitions(app: &str, partitions: i32, topology: impl Fn(&mut Topology)) -> TestDriver {
        let blueprint = Blueprint::of(app, topology).unwrap_or_else(|error| panic!("invalid topology: {error}"));
        let log = MemoryLog::new();
        blueprint.input_topics().iter().for_each(|topic| log.create_topic(topic, partitions));
        let plan = prepare(&blueprint, &log).unwrap_or_else(|error| panic!("{error}"));
        let mut driver = TestDriver { log, stores: MemoryStores::new(), plan, process: None, partitions, read: BTreeMap::new() };
        driver.restart();
        driver
    }

    /// Writes a record to an input (value in JSON) and processes whatever follows from it.
    pub fn send<K: Key, V>(&mut self, topic: &str, key: &K, value: &V, timestamp: Timestamp)
    where
        Json: Codec<V>,
    {
        let mut bytes = Vec::new();
        <Json as Codec<V>>::encode(value, &mut bytes).unwrap_or_else(|error| panic!("value for {topic}: {error}"));
        self.send_bytes(topic, key, Some(&bytes), timestamp);
    }

    /// The same with the value's bytes as they are; none is a tombstone, for tables.
    pub fn send_bytes<K: Key>(&mut self, topic: &str, key: &K, value: Option<&[u8]>, timestamp: Timestamp) {
        let mut bytes = Vec::new();
        key.encode(&mut bytes);
        let partition = partition_for(Some(K::partitioned_by(&bytes)), self.partitions, 0);
        self.log.append(topic, partition, Some(&bytes), value, timestamp);
        self.settle();
    }

    /// Writes the rows of a file to an input, as `backfill --input` reads them, and processes whatever follows from them.
    pub fn send_file(&mut self, topic: &str, path: impl Into<PathBuf>, options: &FileOptions) {
        let input = self.plan.blueprint().declared_input(topic);
        let input = input.unwrap_or_else(|| panic!("the topology has no input {topic:?}"));
        let records = FileRecords::open(path, options, &input).unwrap_or_else(|error| panic!("{error}"));
        for record in records {
            let record = record.unwrap_or_else(|error| panic!("{error}"));
            let partition = input.partition_for(record.key.as_deref(), self.partitions, record.offset);
            self.log.append(topic, partition, record.key.as_deref(), record.value.as_deref(), record.timestamp);
        }
        self.settle();
    }

    /// The records of an output that were committed since the last call, by partition and offset; values in JSON.
    pub fn read<K: Key, V>(&mut self, topic: &str) -> Vec<Out<K, V>>
    where
        Json: Codec<V>,
    {
        let partitions = self.plan.outputs().iter().find(|output| *output.topic == *topic).map(|output| output.partitions);
        let partitions = partitions.unwrap_or_else(|| panic!("the topology has no output {topic:?}"));
        let mut out = Vec::new();
        for partition in 0..partitions {
            let next = self.read.entry((topic.to_owned(), partition)).or_default();
            let begin = *next;
            for record in self.log.read_all(topic, partition, true).into_iter().filter(|record| record.offset >= begin) {
                *next = record.offset + 1;
                let (key, value) = (record.key.unwrap_or_default(), record.value.unwrap_or_default());
                out.push(Out {
                    key: K::decode(&key).unwrap_or_else(|error| panic!("{topic}: {error}")),
                    value: <Json as Codec<V>>::decode(&value).unwrap_or_else(|error| panic!("{topic}: {error}")),
                    timestamp: record.timestamp,
                });
            }
        }
        out
    }

    /// What a reducer or a [`Value`](headwater_core::Value) keeps under a key. The store of a reducer has the reducer's name, that of a
    /// transform's handle `<transform>-<handle>`.
    pub fn state<K: Key, S>(&self, store: &str, key: &K) -> Option<S>
    where
        Json: Codec<S>,
    {
        let mut bytes = Vec::new();
        key.encode(&mut bytes);
        let owner = self.plan.tasks().into_iter().find_map(|task| self.read_state(&task, store, &bytes));
        // A stored value begins with its format (1 byte) and timestamp (8 bytes).
        owner.map(|cell| <Json as Codec<S>>::decode(&cell[9..]).unwrap_or_else(|error| panic!("store {store}: {error}")))
    }

    /// Lets wall time pass: inputs with nothing to read become idle after 30 s.
    pub fn advance(&mut self, by: Duration) {
        self.process_mut().advance(by);
        self.settle();
    }

    /// Stops the process cleanly and starts another one on the same topics and stores.
    pub fn restart(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop().unwrap_or_else(|error| panic!("{error}"));
        }
        let log: Arc<dyn Log> = Arc::new(self.log.clone());
        let stores: Arc<dyn Stores> = Arc::new(self.stores.clone());
        self.process = Some(LocalProcess::start(&self.plan, &log, &stores, "test", 1).unwrap_or_else(|error| panic!("{error}")));
        self.settle();
    }

    /// The same, but everything the stores had is lost: they are rebuilt from their changelogs.
    pub fn restart_without_disk(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop().unwrap_or_else(|error| panic!("{error}"));
        }
        self.stores = MemoryStores::new();
        self.restart();
    }

    /// Records left out so far, by place and reason.
    pub fn dropped(&mut self) -> Vec<(String, &'static str, u64)> {
        self.process_mut().workers_mut().iter_mut().flat_map(|worker| worker.take_report().dropped).collect()
    }

    /// The dead letters committed so far, oldest first in each partition. Their headers are named in
    /// [`dead_letter`](headwater_core::dead_letter).
    pub fn dead_letters(&self) -> Vec<Record> {
        let Some(topic) = self.plan.blueprint().dead_letter_topic() else { return Vec::new() };
        let partitions = self.plan.outputs().iter().find(|output| output.topic == *topic).map_or(0, |output| output.partitions);
        (0..partitions).flat_map(|partition| self.log.read_all(topic, partition, true)).collect()
    }

    /// The log underneath.
    pub fn log(&self) -> &MemoryLog {
        &self.log
    }

    fn read_state(&self, task: &TaskId, store: &str, key: &[u8]) -> Option<Vec<u8>> {
        let workers = self.process.as_ref()?.workers();
        let found =
            workers.iter().find_map(|worker| worker.read_state(task, store, key).unwrap_or_else(|error| panic!("{error}")));
        found.map(|cell| cell.to_vec())
    }

    fn settle(&mut self) {
        self.process_mut().settle().unwrap_or_else(|error| panic!("{error}"));
    }

    fn process_mut(&mut self) -> &mut LocalProcess {
        self.process.as_mut().expect("a process is running between calls")
    }
}
