//! The log through its port, as the engine sees it.

mod blocking;
mod compaction;
mod cooperation;
mod faults;
mod fencing;
mod interleavings;
mod offsets;
mod reading;
mod sessions;
mod transactions;
mod truncation;

use std::time::Duration;

use headwater_core::port::{
    Batch, Committed, GroupMetadata, Log, LogError, Membership, MembershipConfig, MembershipEvent, Producer, ProducerConfig,
    Reader, ReaderConfig,
};
use headwater_core::{Outgoing, Record, Timestamp, TopicName, TopicPartition};

use super::MemoryLog;

pub(super) const NOW: Duration = Duration::ZERO;

pub(super) fn log(topics: &[(&str, i32)]) -> MemoryLog {
    let log = MemoryLog::new();
    topics.iter().for_each(|(name, partitions)| log.create_topic(name, *partitions));
    log
}

pub(super) fn tp(topic: &str, partition: i32) -> TopicPartition {
    TopicPartition::new(topic, partition)
}

pub(super) fn producer(log: &MemoryLog, id: Option<&str>) -> Box<dyn Producer> {
    let mut producer = log.producer(&ProducerConfig { transactional_id: id.map(str::to_owned) }).unwrap();
    producer.init().unwrap();
    producer
}

pub(super) fn send(producer: &mut dyn Producer, topic: &str, partition: i32, value: &str) -> Result<(), LogError> {
    let topic: TopicName = topic.into();
    let (key, value) = (Some(&b"k"[..]), Some(value.as_bytes()));
    let timestamp = Timestamp::from_millis(1);
    producer.send(Outgoing { topic: &topic, partition, key, value, timestamp, headers: &[], track_offset: true })
}

/// A transaction with these values in `topic`-0, left open.
pub(super) fn open_transaction(producer: &mut dyn Producer, topic: &str, values: &[&str]) {
    producer.begin().unwrap();
    values.iter().for_each(|value| send(producer, topic, 0, value).unwrap());
}

pub(super) fn commit(producer: &mut dyn Producer) -> Result<(), LogError> {
    producer.commit(&[], &no_group())
}

pub(super) fn no_group() -> GroupMetadata {
    GroupMetadata { group: "none".into(), generation: 0, handle: std::sync::Arc::new(()) }
}

pub(super) fn at(offset: i64) -> Committed {
    Committed { offset, metadata: format!("m{offset}") }
}

pub(super) fn reader(log: &MemoryLog, read_uncommitted: bool, from: &[(TopicPartition, i64)]) -> Box<dyn Reader> {
    let mut reader = log.reader(&ReaderConfig { group: "g".into(), read_uncommitted }).unwrap();
    reader.assign(from).unwrap();
    reader
}

pub(super) fn member(log: &MemoryLog, instance: Option<&str>, topics: &[&str]) -> Box<dyn Membership> {
    let topics = topics.iter().map(|&topic| topic.to_owned()).collect();
    log.membership(&MembershipConfig { group: "g".into(), instance: instance.map(str::to_owned), topics }).unwrap()
}

/// Polls once and answers at once what was said; shown as `+a-0 -a-1 !a-2` (assigned, revoked, lost).
pub(super) fn step(member: &mut dyn Membership) -> String {
    let events = hear(member);
    events.iter().for_each(|event| answer(member, event));
    show_events(&events)
}

pub(super) fn hear(member: &mut dyn Membership) -> Vec<MembershipEvent> {
    member.poll(NOW).unwrap()
}

pub(super) fn answer(member: &mut dyn Membership, event: &MembershipEvent) {
    match event {
        MembershipEvent::Assigned(partitions) => member.assign(partitions).unwrap(),
        MembershipEvent::Revoked(partitions) | MembershipEvent::Lost(partitions) => member.unassign(partitions).unwrap(),
    }
}

pub(super) fn show_events(events: &[MembershipEvent]) -> String {
    let show = |(sign, partitions): (char, &Vec<TopicPartition>)| {
        partitions.iter().map(|partition| format!("{sign}{partition}")).collect::<Vec<_>>().join(" ")
    };
    let signed = events.iter().map(|event| match event {
        MembershipEvent::Assigned(partitions) => ('+', partitions),
        MembershipEvent::Revoked(partitions) => ('-', partitions),
        MembershipEvent::Lost(partitions) => ('!', partitions),
    });
    signed.map(show).collect::<Vec<_>>().join(" ")
}

/// `0=a 1=b`: offsets and values.
pub(super) fn show(records: &[Record]) -> String {
    let value =
        |record: &Record| record.value.as_deref().map_or_else(|| "-".to_owned(), |value| value.escape_ascii().to_string());
    records.iter().map(|record| format!("{}={}", record.offset, value(record))).collect::<Vec<_>>().join(" ")
}

/// `t-0 [0=a] @3 end`: partition, records, position, and whether the end was reported.
pub(super) fn show_batches(batches: &[Batch]) -> String {
    let end = |batch: &Batch| if batch.at_end { " end" } else { "" };
    let show = |b: &Batch| format!("{} [{}] @{}{}", b.partition, show(&b.records), b.position, end(b));
    batches.iter().map(show).collect::<Vec<_>>().join(", ")
}

/// What one poll says, errors as their text.
pub(super) fn poll(reader: &mut dyn Reader, max: usize) -> String {
    reader.poll(max, NOW).map_or_else(|error| error.to_string(), |batches| show_batches(&batches))
}
