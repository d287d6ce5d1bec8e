//! What the tests of the Kafka adapter share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use headwater_core::port::{
    Batch, GroupMetadata, Log, Membership, MembershipConfig, MembershipEvent, NewTopic, Producer, ProducerConfig, Reader,
    ReaderConfig,
};
use headwater_core::{Outgoing, Record, Timestamp, TopicName, TopicPartition};
use headwater_kafka::{GroupProtocol, KafkaLog};
use headwater_tests::{KafkaBroker, until};

/// Nothing in these tests takes longer unless it is broken.
pub const PATIENCE: Duration = Duration::from_secs(30);
pub const TICK: Duration = Duration::from_millis(50);

pub fn log() -> KafkaLog {
    KafkaBroker::shared().log()
}

pub fn log_with(protocol: GroupProtocol) -> KafkaLog {
    let mut config = KafkaBroker::shared().config();
    config.group_protocol = protocol;
    KafkaLog::new(config).unwrap()
}

/// A name nobody else uses.
pub fn unique(name: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{name}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

pub fn new_topic(log: &KafkaLog, name: &str, partitions: i32) -> TopicName {
    let name = unique(name);
    let config = BTreeMap::from([("retention.ms".to_string(), "-1".to_string())]);
    log.admin().unwrap().create(&[NewTopic { name: name.clone(), partitions, replication: None, config }]).unwrap();
    name.into()
}

pub fn p(topic: &TopicName, partition: i32) -> TopicPartition {
    TopicPartition::new(topic.clone(), partition)
}

/// A transactional producer, ready to begin.
pub fn transactional(log: &KafkaLog, id: &str) -> Box<dyn Producer> {
    let mut producer = log.producer(&ProducerConfig { transactional_id: Some(id.into()) }).unwrap();
    producer.init().unwrap();
    producer
}

pub fn plain_producer(log: &KafkaLog) -> Box<dyn Producer> {
    log.producer(&ProducerConfig { transactional_id: None }).unwrap()
}

pub fn record<'a>(topic: &'a TopicName, partition: i32, value: &'a str) -> Outgoing<'a> {
    Outgoing {
        topic,
        partition,
        key: None,
        value: Some(value.as_bytes()),
        timestamp: Timestamp::from_millis(1),
        headers: &[],
        track_offset: false,
    }
}

pub fn send(producer: &mut dyn Producer, topic: &TopicName, partition: i32, values: &[&str]) {
    for value in values {
        producer.send(record(topic, partition, value)).unwrap();
    }
}

pub fn reader(log: &KafkaLog, read_uncommitted: bool) -> Box<dyn Reader> {
    log.reader(&ReaderConfig { group: "readers".into(), read_uncommitted }).unwrap()
}

pub fn values(records: &[Record]) -> Vec<String> {
    records.iter().map(|r| String::from_utf8(r.value.as_ref().expect("a value").to_vec()).unwrap()).collect()
}

/// Polls until a partition's end is reported: all records until then, and the position there.
pub fn read_to_end(reader: &mut dyn Reader) -> (Vec<Record>, i64) {
    let mut records = Vec::new();
    let position = until("the partition's end", PATIENCE, || {
        let mut end = None;
        for batch in reader.poll(1000, TICK).unwrap() {
            let Batch { position, at_end, .. } = batch;
            records.extend(batch.records);
            end = at_end.then_some(position);
        }
        end
    });
    (records, position)
}

/// How long a transaction that ended may take to show in its partitions.
const MARKERS: Duration = Duration::from_secs(2);

/// Everything a reader of that isolation level sees in partition 0 of a topic now.
pub fn everything(log: &KafkaLog, topic: &TopicName, read_uncommitted: bool) -> Vec<String> {
    let (mut reader, partition) = (reader(log, read_uncommitted), p(topic, 0));
    reader.assign(&[(partition.clone(), 0)]).unwrap();
    let (mut records, mut position) = read_to_end(reader.as_mut());
    // The coordinator answers a commit before its markers are in the partitions; until they are, what was committed is hidden
    // like what is still open.
    let end = reader.ends(std::slice::from_ref(&partition)).unwrap()[0].end;
    let deadline = Instant::now() + MARKERS;
    while position < end && Instant::now() < deadline {
        for batch in reader.poll(1000, TICK).unwrap() {
            position = batch.position;
            records.extend(batch.records);
        }
    }
    values(&records)
}

pub fn member(log: &KafkaLog, group: &str, topics: &[&TopicName]) -> Box<dyn Membership> {
    let topics = topics.iter().map(|t| t.to_string()).collect();
    log.membership(&MembershipConfig { group: group.into(), instance: None, topics }).unwrap()
}

/// A member that owns everything, and its metadata.
pub fn joined(log: &KafkaLog, group: &str, topics: &[&TopicName]) -> (Box<dyn Membership>, GroupMetadata) {
    let mut member = member(log, group, topics);
    until("an assignment", PATIENCE, || {
        for event in member.poll(TICK).unwrap() {
            if let MembershipEvent::Assigned(partitions) = event {
                member.assign(&partitions).unwrap();
                return Some(());
            }
        }
        None
    });
    let metadata = member.metadata().expect("a member has metadata");
    (member, metadata)
}
