//! Writes the data into a log: the topics `flights` and `airlines`.

use std::collections::BTreeMap;

use headwater::port::{Log, LogError, NewTopic, Producer, ProducerConfig, ReaderConfig};
use headwater::{Outgoing, Timestamp, TopicName, TopicPartition, partition_for};
use serde::Serialize;
use thiserror::Error;

use crate::data::{DataError, airlines, flights};

/// The topic of all flights.
pub const FLIGHTS: &str = "flights";
/// The table topic of the carriers' names.
pub const AIRLINES: &str = "airlines";
/// Partitions of both topics, unless said otherwise.
pub const DEFAULT_PARTITIONS: i32 = 4;

/// 2013-01-01T00:00:00Z: before the first flight, so that the names come first in event time.
const AIRLINES_KNOWN: Timestamp = Timestamp::from_millis(1_356_998_400_000);
/// Records between two reports of progress.
const STRIDE: u64 = 2048;

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadReport {
    /// Records written to `flights`.
    pub flights: u64,
    /// Records written to `airlines`.
    pub airlines: u64,
    /// Partitions of either topic.
    pub partitions: i32,
    /// Bytes of keys and values.
    pub bytes: u64,
}

/// Why nothing, or not everything, was written.
#[derive(Debug, Error)]
pub enum LoadError {
    /// Loading a second time would count every flight twice.
    #[error("{}", occupied(*.found, *.expected))]
    Occupied {
        /// Records that are in `flights` already.
        found: u64,
        /// Records of a whole load.
        expected: u64,
    },
    /// The topic is there, with another number of partitions.
    #[error(
        "topic {topic:?} exists with {found} partitions, not {asked}: load with `--partitions {found}`, or delete topics \
         \"flights\" and \"airlines\""
    )]
    Partitions {
        /// The topic.
        topic: &'static str,
        /// Its partitions.
        found: i32,
        /// The partitions asked for.
        asked: i32,
    },
    /// A topic cannot have that many partitions.
    #[error("a topic cannot have {0} partitions: give `--partitions` a number from 1")]
    NoPartitions(i32),
    /// The data in the binary cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The log failed or refused.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A record cannot be written as JSON.
    #[error("cannot write a record as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

fn occupied(found: u64, expected: u64) -> String {
    let state = if found == expected { "is loaded already" } else { "is not empty: a load was interrupted, or it is not ours" };
    format!(
        "topic \"flights\" {state} ({found} of {expected} records): loading again would count flights twice; delete topics \
         \"flights\" and \"airlines\" to load anew"
    )
}

/// Creates the topics where they are missing and writes all records, the names first. `progress` is told every now and
/// then how many records of how many are written.
pub fn load(log: &dyn Log, partitions: i32, progress: &mut dyn FnMut(u64, u64)) -> Result<LoadReport, LoadError> {
    if partitions < 1 {
        return Err(LoadError::NoPartitions(partitions));
    }
    // Asked before the data is unpacked: no broker, no waiting.
    let found = existing_records(log, partitions)?;
    let (airlines, flights) = (airlines()?, flights()?);
    let total = (airlines.len() + flights.len()) as u64;
    if found > 0 {
        return Err(LoadError::Occupied { found, expected: flights.len() as u64 });
    }
    log.admin()?.create(&topics(partitions))?;

    let mut writer = Writer::new(log, partitions)?;
    progress(0, total);
    let topic = TopicName::from(AIRLINES);
    for airline in &airlines {
        writer.write(&topic, &airline.carrier, airline, AIRLINES_KNOWN)?;
    }
    let topic = TopicName::from(FLIGHTS);
    for departing in &flights {
        writer.write(&topic, &departing.flight.key(), &departing.flight, departing.at)?;
        if writer.records % STRIDE == 0 {
            progress(writer.records, total);
        }
    }
    writer.producer.flush()?;
    progress(total, total);
    Ok(LoadReport { flights: flights.len() as u64, airlines: airlines.len() as u64, partitions, bytes: writer.bytes })
}

/// The records in `flights`, 0 if there is no such topic; checks the partitions of both topics. Names may be there
/// already: the table is the same however often they are written.
fn existing_records(log: &dyn Log, partitions: i32) -> Result<u64, LoadError> {
    let existing = log.admin()?.describe(&[FLIGHTS.to_owned(), AIRLINES.to_owned()])?;
    for topic in [FLIGHTS, AIRLINES] {
        if let Some(info) = existing.get(topic).filter(|info| info.partitions != partitions) {
            return Err(LoadError::Partitions { topic, found: info.partitions, asked: partitions });
        }
    }
    if !existing.contains_key(FLIGHTS) {
        return Ok(0);
    }
    let mut reader = log.reader(&ReaderConfig { group: FLIGHTS.to_owned(), read_uncommitted: true })?;
    let all: Vec<_> = (0..partitions).map(|partition| TopicPartition::new(FLIGHTS, partition)).collect();
    let ends = reader.ends(&all)?;
    Ok(ends.iter().map(|ends| ends.end.saturating_sub(ends.start).unsigned_abs()).sum())
}

fn topics(partitions: i32) -> [NewTopic; 2] {
    let topic = |name: &str, config: &[(&str, &str)]| NewTopic {
        name: name.to_owned(),
        partitions,
        replication: None,
        config: config.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect::<BTreeMap<_, _>>(),
    };
    // The records are dated 2013: any retention would delete them at once.
    [topic(FLIGHTS, &[("retention.ms", "-1")]), topic(AIRLINES, &[("cleanup.policy", "compact"), ("retention.ms", "-1")])]
}

struct Writer {
    producer: Box<dyn Producer>,
    partitions: i32,
    value: Vec<u8>,
    records: u64,
    bytes: u64,
}

impl Writer {
    /// The producer is idempotent: a retry inside a load writes nothing twice.
    fn new(log: &dyn Log, partitions: i32) -> Result<Writer, LogError> {
        let mut producer = log.producer(&ProducerConfig { transactional_id: None })?;
        producer.init()?;
        Ok(Writer { producer, partitions, value: Vec::new(), records: 0, bytes: 0 })
    }

    fn write(&mut self, topic: &TopicName, key: &str, value: &impl Serialize, at: Timestamp) -> Result<(), LoadError> {
        self.value.clear();
        serde_json::to_writer(&mut self.value, value)?;
        self.producer.send(Outgoing {
            topic,
            partition: partition_for(Some(key.as_bytes()), self.partitions, 0),
            key: Some(key.as_bytes()),
            value: Some(&self.value),
            timestamp: at,
            headers: &[],
            track_offset: false,
        })?;
        self.records += 1;
        self.bytes += (key.len() + self.value.len()) as u64;
        Ok(())
    }
}

#[cfg(test)]
#[path = "load/tests.rs"]
mod tests;
