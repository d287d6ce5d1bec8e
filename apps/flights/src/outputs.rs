//! What a run wrote, collected record by record from its output topics.

use std::collections::BTreeMap;
use std::time::Duration;

use headwater::TopicPartition;
use headwater::port::{Log, LogError, ReaderConfig};
use serde::de::DeserializeOwned;

/// Topic of [`Hourly`](crate::Hourly).
pub const HOURLY: &str = "flights.hourly";
/// Topic of [`Carrier`](crate::Carrier).
pub const CARRIERS: &str = "flights.carriers";
/// Topic of [`Grounded`](crate::Grounded).
pub const GROUNDED: &str = "flights.grounded";

/// The records of the output topics that make the result: the last one per key of [`HOURLY`] and [`CARRIERS`], all of
/// [`GROUNDED`].
#[derive(Clone, Debug, Default)]
pub struct Outputs {
    pub(crate) hourly: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) carriers: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) grounded: Vec<(Vec<u8>, Vec<u8>)>,
    records: u64,
}

impl Outputs {
    /// The topics to read.
    pub const TOPICS: [&str; 3] = [HOURLY, CARRIERS, GROUNDED];

    /// Takes in one record; those of a partition must come in the order of their offsets. Records of other topics and
    /// records without a value are passed over.
    pub fn add(&mut self, topic: &str, key: Option<&[u8]>, value: Option<&[u8]>) {
        let (key, Some(value)) = (key.unwrap_or_default().to_vec(), value) else { return };
        match topic {
            HOURLY => drop(self.hourly.insert(key, value.to_vec())),
            CARRIERS => drop(self.carriers.insert(key, value.to_vec())),
            GROUNDED => self.grounded.push((key, value.to_vec())),
            _ => return,
        }
        self.records += 1;
    }

    /// Records taken in, updates of the same key included.
    pub fn records(&self) -> u64 {
        self.records
    }
}

/// Reads the output topics from their beginning to the end they have now, read committed.
///
/// # Errors
/// [`LogError::UnknownTopic`] if the application has never run here.
pub fn read(log: &dyn Log) -> Result<Outputs, LogError> {
    let names: Vec<String> = Outputs::TOPICS.map(String::from).to_vec();
    let topics = log.admin()?.describe(&names)?;
    if let Some(missing) = names.into_iter().find(|name| !topics.contains_key(name)) {
        return Err(LogError::UnknownTopic { topic: missing });
    }
    let partition = |(topic, info): (&String, &headwater::port::TopicInfo)| {
        let topic = topic.as_str();
        (0..info.partitions).map(|partition| TopicPartition::new(topic, partition)).collect::<Vec<_>>()
    };
    let partitions: Vec<TopicPartition> = topics.iter().flat_map(partition).collect();
    let mut reader = log.reader(&ReaderConfig { group: String::from("flights-results"), read_uncommitted: false })?;
    let ends = reader.ends(&partitions)?;
    let mut left: BTreeMap<TopicPartition, i64> = partitions
        .into_iter()
        .zip(&ends)
        .filter(|(_, ends)| ends.start < ends.end)
        .map(|(partition, ends)| (partition, ends.end))
        .collect();
    let from: Vec<(TopicPartition, i64)> = left.keys().map(|partition| (partition.clone(), 0)).collect();
    reader.assign(&from)?;
    let mut outputs = Outputs::default();
    while !left.is_empty() {
        for batch in reader.poll(10_000, Duration::from_millis(100))? {
            let Some(end) = left.get(&batch.partition) else { continue };
            for record in batch.records.iter().filter(|record| record.offset < *end) {
                outputs.add(&batch.partition.topic, record.key.as_deref(), record.value.as_deref());
            }
            if batch.position >= *end {
                left.remove(&batch.partition);
            }
        }
    }
    Ok(outputs)
}

/// The values that can be read as `T`: what cannot is the comparison's business, not the tables'.
pub(crate) fn readable<'a, T: DeserializeOwned>(values: impl Iterator<Item = &'a Vec<u8>>) -> Vec<T> {
    values.filter_map(|value| serde_json::from_slice(value).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_update_of_a_key_and_every_event() {
        let mut outputs = Outputs::default();
        for value in ["1", "2"] {
            for topic in Outputs::TOPICS {
                outputs.add(topic, Some(b"k"), Some(value.as_bytes()));
            }
        }
        outputs.add("elsewhere", Some(b"k"), Some(b"3"));
        assert_eq!(outputs.hourly, BTreeMap::from([(b"k".to_vec(), b"2".to_vec())]));
        assert_eq!(outputs.carriers.len(), 1);
        assert_eq!(outputs.grounded.len(), 2);
        assert_eq!(outputs.records(), 6);
    }
}
