//! What the end of a log can look like.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use headwater_core::port::{GroupMetadata, Log, Producer, ProducerConfig};
use headwater_core::{Outgoing, Timestamp, TopicName};
use headwater_kafka::KafkaLog;
use headwater_tests::until;

use crate::kafka::support::*;

/// Every record's timestamp is later than the one before by more than `segment.ms` below, and later than any marker's, which is the time of
/// day: so every record begins a segment, and all but the last can be compacted.
const FIRST_MS: i64 = 4_000_000_000_000;
const STEP_MS: i64 = 1_000;

/// A log as an application has it; compacted at once where the shape is about that.
pub fn config(shape: Shape) -> [(&'static str, &'static str); 7] {
    let is_compacted = matches!(shape, Shape::GapAtHead | Shape::GapInTheMiddle | Shape::GapAtTail);
    // Kafka truncates no log on request that is compacted only.
    let policy = if shape == Shape::TruncatedWhileReading { "compact,delete" } else { "compact" };
    [
        ("cleanup.policy", policy),
        ("segment.ms", "100"),
        ("min.cleanable.dirty.ratio", "0.0"),
        ("delete.retention.ms", "0"),
        ("retention.ms", "-1"),
        ("min.compaction.lag.ms", if is_compacted { "0" } else { "3600000" }),
        ("message.timestamp.after.max.ms", "9223372036854775807"),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    Empty,
    AbortedTail,
    CommitMarkerLast,
    GapAtHead,
    GapInTheMiddle,
    GapAtTail,
    TruncatedWhileReading,
    OpenTransaction,
    AppendedAfterTheEnd,
}

impl Shape {
    pub const ALL: [Shape; 9] = [
        Shape::Empty,
        Shape::AbortedTail,
        Shape::CommitMarkerLast,
        Shape::GapAtHead,
        Shape::GapInTheMiddle,
        Shape::GapAtTail,
        Shape::TruncatedWhileReading,
        Shape::OpenTransaction,
        Shape::AppendedAfterTheEnd,
    ];
}

/// Whoever writes the log that is read.
pub struct Writer {
    pub log: KafkaLog,
    pub topic: TopicName,
    pub partition: i32,
    producer: Box<dyn Producer>,
    pub metadata: GroupMetadata,
    written: i64,
    /// What a reader of all committed records ends with.
    pub committed: BTreeMap<String, String>,
    /// Every key that was written, by whomever, aborted or not.
    pub keys: BTreeSet<String>,
    /// A transaction that nobody ends.
    _open: Option<Box<dyn Producer>>,
}

impl Writer {
    pub fn new(log: &KafkaLog, topic: &TopicName, partition: i32, metadata: &GroupMetadata) -> Writer {
        let producer = transactional(log, &unique("writer"));
        Writer {
            log: log.clone(),
            topic: topic.clone(),
            partition,
            producer,
            metadata: metadata.clone(),
            written: 0,
            committed: BTreeMap::new(),
            keys: BTreeSet::new(),
            _open: None,
        }
    }

    /// A committed transaction.
    pub fn commit(&mut self, records: &[(&str, &str)]) {
        self.producer.begin().unwrap();
        self.send(records);
        self.producer.commit(&[], &self.metadata).unwrap();
        self.committed.extend(records.iter().map(|(key, value)| (key.to_string(), value.to_string())));
    }

    /// An aborted one, all of it in the log.
    pub fn abort(&mut self, records: &[(&str, &str)]) {
        self.producer.begin().unwrap();
        self.send(records);
        self.producer.flush().unwrap();
        self.producer.abort().unwrap();
    }

    fn send(&mut self, records: &[(&str, &str)]) {
        for record in records {
            write(self.producer.as_mut(), &self.topic, self.partition, self.written, *record);
            self.written += 1;
            self.keys.insert(record.0.to_string());
        }
    }

    /// Begins one that somebody else may end, and the broker does after `timeout`.
    pub fn open(&mut self, records: &[(&str, &str)], timeout: Duration) -> Box<dyn Producer> {
        let mut config = crate::bounded::cell::config();
        config.transaction_timeout = timeout;
        let log = KafkaLog::new(config).unwrap();
        let mut other = log.producer(&ProducerConfig { transactional_id: Some(unique("open")) }).unwrap();
        other.init().unwrap();
        other.begin().unwrap();
        for record in records {
            write(other.as_mut(), &self.topic, self.partition, self.written, *record);
            self.keys.insert(record.0.to_string());
        }
        other.flush().unwrap();
        other
    }

    /// Offsets of records that are in the log, aborted ones too.
    fn offsets(&self) -> Vec<i64> {
        let mut reader = reader(&self.log, true);
        reader.assign(&[(p(&self.topic, self.partition), 0)]).unwrap();
        read_to_end(reader.as_mut()).0.iter().map(|record| record.offset).collect()
    }

    pub fn wait_until_gone(&self, offsets: &[i64]) {
        until("the compaction", PATIENCE, || {
            let there = self.offsets();
            offsets.iter().all(|offset| !there.contains(offset)).then_some(())
        });
    }
}

fn write(producer: &mut dyn Producer, topic: &TopicName, partition: i32, number: i64, (key, value): (&str, &str)) {
    let record = Outgoing {
        topic,
        partition,
        key: Some(key.as_bytes()),
        value: Some(value.as_bytes()),
        timestamp: Timestamp::from_millis(FIRST_MS + number * STEP_MS),
        headers: &[],
        track_offset: false,
    };
    producer.send(record).unwrap();
    // A batch of its own.
    producer.flush().unwrap();
}

/// The transaction timeout of the one that is left open.
const SHORT: Duration = Duration::from_secs(3);
/// Records of the log that is truncated: more than a reader fetches at once. The first so many are cut off.
const MANY: usize = 400;
pub const CUT: usize = 300;

/// Writes the log as it is before the restore begins.
pub fn before(shape: Shape, writer: &mut Writer) {
    match shape {
        Shape::Empty => {}
        Shape::AbortedTail => {
            writer.commit(&[("a", "1"), ("b", "1")]);
            writer.abort(&[("b", "2"), ("c", "1")]);
            writer.abort(&[("d", "1")]);
        }
        Shape::CommitMarkerLast | Shape::AppendedAfterTheEnd => {
            writer.commit(&[("a", "1")]);
            writer.commit(&[("b", "1"), ("a", "2")]);
        }
        Shape::GapAtHead => {
            // Offsets 0, 1 (and the marker 2) go, because 3 is newer.
            writer.commit(&[("a", "1"), ("a", "2")]);
            writer.commit(&[("a", "3"), ("b", "1")]);
            writer.wait_until_gone(&[0, 1]);
        }
        Shape::GapInTheMiddle => {
            writer.commit(&[("a", "1"), ("b", "1"), ("b", "2"), ("b", "3")]);
            writer.commit(&[("c", "1")]);
            writer.wait_until_gone(&[1, 2]);
        }
        Shape::GapAtTail => {
            // The last one that can be seen is 1; aborted ones go too, but for the newest segment's.
            writer.commit(&[("a", "1"), ("b", "1")]);
            writer.abort(&[("b", "2")]);
            writer.abort(&[("c", "1")]);
            writer.wait_until_gone(&[3]);
        }
        Shape::TruncatedWhileReading => {
            let value = "x".repeat(4_000);
            let keys: Vec<String> = (0..MANY).map(|number| format!("k{number}")).collect();
            let records: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), value.as_str())).collect();
            writer.commit(&records);
        }
        Shape::OpenTransaction => {
            writer.commit(&[("a", "1")]);
            writer._open = Some(writer.open(&[("a", "2"), ("b", "1")], SHORT));
            writer.commit(&[("c", "1")]);
        }
    }
}

/// What happens to the log once the restore knows its end and has begun.
pub fn meanwhile(shape: Shape, writer: &mut Writer) {
    match shape {
        Shape::TruncatedWhileReading => {
            writer.log.admin().unwrap().delete_records(&[(p(&writer.topic, 0), CUT as i64)]).unwrap();
            (0..CUT).for_each(|number| drop(writer.committed.remove(&format!("k{number}"))));
        }
        Shape::AppendedAfterTheEnd => {
            let before = writer.committed.clone();
            writer.commit(&[("a", "3"), ("d", "1")]);
            writer.committed = before;
        }
        _ => {}
    }
}

/// The position that an application could have committed as a table's reader: it sees committed records only.
pub fn stable_end(shape: Shape, writer: &Writer) -> i64 {
    match shape {
        // Before the open transaction: record 0 and its marker.
        Shape::OpenTransaction => 2,
        _ => reader(&writer.log, false).ends(&[p(&writer.topic, 0)]).unwrap()[0].end,
    }
}
