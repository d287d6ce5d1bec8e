//! Records as they travel between the engine and the log: bytes, not types.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::time::Timestamp;

/// A topic's name, cheap to clone.
pub type TopicName = Arc<str>;

/// One partition of one topic.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: TopicName,
    /// The partition's number, from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// Partition `partition` of `topic`.
    pub fn new(topic: impl Into<TopicName>, partition: i32) -> TopicPartition {
        TopicPartition { topic: topic.into(), partition }
    }

    /// All partitions of a topic that has `count` of them.
    pub fn all_of(topic: &str, count: i32) -> Vec<TopicPartition> {
        let topic = TopicName::from(topic);
        (0..count).map(|partition| TopicPartition { topic: TopicName::clone(&topic), partition }).collect()
    }
}

/// `topic-partition`, the way Kafka's own tools write it.
impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

impl fmt::Debug for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One header of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The header's key.
    pub key: Arc<str>,
    /// The header's value; Kafka allows none.
    pub value: Option<Bytes>,
}

/// A record read from a partition. Its topic and partition are those of the [`Batch`](crate::port::Batch) it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Position in the partition's log.
    pub offset: i64,
    /// The record's timestamp; negative where the record has none.
    pub timestamp: Timestamp,
    /// Key bytes.
    pub key: Option<Bytes>,
    /// Value bytes; none is a tombstone in a compacted topic.
    pub value: Option<Bytes>,
    /// Headers, in the order they were written; most records have none.
    pub headers: Vec<Header>,
}

/// A record on its way into a partition, borrowed from the engine's buffers for the length of one call.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Target topic.
    pub topic: &'a TopicName,
    /// Target partition: the engine always chooses it itself (see [`partition_for`](crate::partition_for)).
    pub partition: i32,
    /// Key bytes.
    pub key: Option<&'a [u8]>,
    /// Value bytes; none is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Timestamp to write.
    pub timestamp: Timestamp,
    /// Headers in the order they are to be written; Kafka allows a header without a value, and a key more than once.
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
    /// Whether the engine wants to learn the offset this record got (changelog records: yes, outputs: no).
    pub track_offset: bool,
}
