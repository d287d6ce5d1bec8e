//! An application, its live run and its bounded runs, each from its plan to its end.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use headwater::adapters::{RocksStores, StoreOptions};
use headwater::port::{Ends, Log, ProducerConfig, ReaderConfig};
use headwater::{
    Backlog, Blueprint, Destination, Edge, Observer, Outgoing, Process, Record, Request, RunError, RunOptions, Shutdown,
    Timestamp, TopicName, TopicPartition, Topology, World, partition_for,
};
use headwater_core::bounded::RunRecord;
use headwater_kafka::KafkaLog;
use headwater_runtime::backfill::{BackfillError, Draft, Ended, Goal, Registry, plan};
use headwater_runtime::wall_clock;
use headwater_tests::until;
use tempfile::TempDir;

use super::observed::Observed;
use crate::kafka::support::{TICK, reader, unique};

/// Nothing in these tests takes longer unless it is broken.
pub const LONG: Duration = Duration::from_secs(60);

/// Events written at a time: a reader takes such a batch whole.
const BATCH: u64 = 200;

/// A topology, as often as it is asked for.
pub type Describe<'a> = &'a dyn Fn(&mut Topology);

pub struct Stage {
    pub log: KafkaLog,
    pub app: String,
    directory: TempDir,
}

impl Stage {
    pub fn new(log: KafkaLog, name: &str) -> Stage {
        Stage { log, app: unique(name), directory: TempDir::new().expect("a temporary directory") }
    }

    fn blueprint(&self, describe: Describe<'_>) -> Arc<Blueprint> {
        named(&self.app, describe)
    }

    /// What a process runs on, with a state directory of this name.
    fn world(&self, app: &str, state: &str, observer: Arc<dyn Observer>) -> World {
        let stores = RocksStores::open(&self.directory.path().join(state), app, StoreOptions::default());
        World { log: Arc::new(self.log.clone()), stores: Arc::new(stores.expect("a state directory")), observer }
    }

    /// Runs the application until it has consumed everything there is.
    pub fn live(&self, describe: Describe<'_>) {
        let world = self.world(&self.app, "live", Arc::new(Observed::default()));
        let process = Process::prepare(&self.blueprint(describe), world, RunOptions::default()).expect("it can start");
        let mut backlog = Backlog::of(process.plan(), &self.log).expect("the broker is up");
        let (ended, ()) = beside(process, |shutdown| {
            until("everything is consumed", LONG, || backlog.remaining().ok().filter(|remaining| *remaining == 0));
            shutdown.request();
        });
        assert_eq!(ended.expect("it stops cleanly"), Ended::Stopped);
    }

    pub fn draft(&self, describe: Describe<'_>, request: &Request) -> Result<Draft, BackfillError> {
        plan(&self.blueprint(describe), &self.log, request, Timestamp::from_millis(0))
    }

    /// Plans a run.
    pub fn keep(&self, describe: Describe<'_>, request: &Request) -> RunRecord {
        let draft = self.draft(describe, request).expect("it can be planned");
        Registry::of(&self.blueprint(describe), &self.log).keep(&draft.record).expect("the plan is kept")
    }

    /// A process that works on a run, with state and transactions of its own under this name.
    pub fn process(
        &self,
        describe: Describe<'_>,
        record: &RunRecord,
        name: &str,
        observer: Arc<dyn Observer>,
        options: RunOptions,
    ) -> Process {
        let control = headwater_core::control_topic(&self.app);
        let goal = Goal { app: self.app.clone(), control, id: record.id.clone(), tell: Box::new(|_| ()) };
        let options = RunOptions { process_id: name.to_owned(), ..options };
        let world = self.world(&record.app, name, observer);
        Process::prepare_bounded(&named(&record.app, describe), record.bounds(), goal, world, options).expect("it can start")
    }

    /// Plans a run and comes to its end.
    pub fn replay(&self, describe: Describe<'_>, request: &Request) -> (RunRecord, Arc<Observed>) {
        let (record, observed) = (self.keep(describe, request), Arc::new(Observed::default()));
        let options = RunOptions { workers: 2, ..RunOptions::default() };
        let process = self.process(describe, &record, "alone", Arc::clone(&observed) as Arc<dyn Observer>, options);
        let (ended, ()) = beside(process, |_| ());
        assert_eq!(ended.expect("nothing fails"), Ended::Complete);
        (record, observed)
    }

    /// The position a run has committed for a partition; 0 if none.
    pub fn committed(&self, record: &RunRecord, partition: &TopicPartition) -> i64 {
        committed(&self.log, &record.app, partition)
    }

    /// Where the partitions of topics end, whatever the last offsets are.
    pub fn ends(&self, topics: &[&TopicName], partitions: i32) -> Vec<Ends> {
        let all: Vec<_> = topics.iter().flat_map(|topic| TopicPartition::all_of(topic, partitions)).collect();
        reader(&self.log, true).ends(&all).expect("the topics are there")
    }

    /// Every visible record of a topic by partition, in its order.
    pub fn records(&self, topic: &str, partitions: i32) -> Vec<Vec<Record>> {
        let all = TopicPartition::all_of(topic, partitions);
        let mut reader = reader(&self.log, false);
        let ends = reader.ends(&all).expect("the topic is there");
        reader.assign(&all.iter().cloned().zip(ends.iter().map(|ends| ends.start)).collect::<Vec<_>>()).expect("it can be read");
        let mut found = vec![(0, Vec::new()); all.len()];
        until("the results are read", LONG, || {
            for batch in reader.poll(10_000, TICK).expect("it can be read") {
                let (position, records) = &mut found[batch.partition.partition as usize];
                *position = batch.position;
                records.extend(batch.records);
            }
            found.iter().zip(&ends).all(|((position, _), ends)| *position >= ends.end).then_some(())
        });
        found.into_iter().map(|(_, records)| records).collect()
    }

    /// Their keys, and their values as text.
    pub fn results(&self, topic: &str, partitions: i32) -> Vec<Vec<(Vec<u8>, String)>> {
        let text = |value: Option<Bytes>| String::from_utf8(value.unwrap_or_default().to_vec()).expect("JSON");
        let result = |record: Record| (record.key.unwrap_or_default().to_vec(), text(record.value));
        let records = self.records(topic, partitions).into_iter();
        records.map(|records| records.into_iter().map(result).collect()).collect()
    }

    /// Writes numbered events a millisecond apart, each where a live producer's key would be. The value is the number.
    pub fn write(&self, topic: &TopicName, partitions: i32, events: std::ops::Range<u64>, key: impl Fn(u64) -> String) {
        let mut producer = self.log.producer(&ProducerConfig { transactional_id: None }).expect("a producer");
        // Kafka deletes by the records' own timestamps, also what is made of them.
        let first = wall_clock() - Duration::from_secs(600);
        for number in events {
            let (key, value) = (key(number), number.to_string());
            let outgoing = Outgoing {
                topic,
                partition: partition_for(Some(key.as_bytes()), partitions, 0),
                key: Some(key.as_bytes()),
                value: Some(value.as_bytes()),
                timestamp: first + Duration::from_millis(number),
                headers: &[],
                track_offset: false,
            };
            producer.send(outgoing).expect("the event is taken");
            if number % BATCH == 0 {
                producer.flush().expect("the events are written");
            }
        }
        producer.flush().expect("the events are written");
    }
}

/// A run over a range whose results go beside the outputs, into topics with its id behind their names.
pub fn emits(id: &str, from: Edge, to: Edge) -> Request {
    Request { destination: Some(Destination::Suffix(format!(".{id}"))), ..Request::range(id, from, to) }
}

/// The same over everything there is.
pub fn emits_all(id: &str) -> Request {
    emits(id, Edge::Earliest, Edge::Now)
}

/// The position a group has committed for a partition; 0 if none.
pub fn committed(log: &KafkaLog, group: &str, partition: &TopicPartition) -> i64 {
    let config = ReaderConfig { group: group.to_owned(), read_uncommitted: false };
    let committed = log.reader(&config).expect("a reader").committed(std::slice::from_ref(partition));
    committed.expect("the group answers").remove(0).map_or(0, |committed| committed.offset)
}

fn named(app: &str, describe: Describe<'_>) -> Arc<Blueprint> {
    Blueprint::of(app, describe).expect("the topology is valid")
}

/// Asks for a stop when a test goes on, or fails.
struct Stop<'a>(&'a Shutdown);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.request();
    }
}

/// Runs a process to its end, and this beside it.
pub fn beside<T>(process: Process, meanwhile: impl FnOnce(&Shutdown) -> T) -> (Result<Ended, RunError>, T) {
    let shutdown = Shutdown::new();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| process.run(&shutdown));
        let stop = Stop(&shutdown);
        let met = meanwhile(&shutdown);
        until("the process ends by itself", LONG, || running.is_finished().then_some(()));
        drop(stop);
        (running.join().expect("no panic"), met)
    })
}
