use std::collections::BTreeMap;

use bytes::Bytes;
use headwater_core::bounded::TimeRange;
use headwater_core::port::{Log, LogError, ReaderConfig};
use headwater_core::{Record, Timestamp, TopicPartition};
use std::time::Duration;

/// Records taken in one poll.
const FETCH: usize = 10_000;

/// The last value of each key; none where it was deleted.
pub(super) type Latest = BTreeMap<Bytes, Option<Bytes>>;

/// Which records of a topic count: those of a range of time, where each belongs by its key and timestamp.
#[derive(Clone, Copy)]
pub(super) struct Filter {
    pub(super) says: TimeRange,
    pub(super) belongs: fn(&[u8], Timestamp) -> Timestamp,
}

impl Filter {
    fn counts(&self, key: &[u8], record: &Record) -> bool {
        self.says.contains((self.belongs)(key, record.timestamp))
    }
}

/// Reads partitions, read committed, from their beginning to where they end now.
pub(super) fn latest(log: &dyn Log, partitions: &[TopicPartition], filter: Filter) -> Result<Latest, LogError> {
    let mut reader = log.restore_reader(&ReaderConfig { group: "headwater-compare".into(), read_uncommitted: false })?;
    let ends = reader.ends(partitions)?;
    let mut open: BTreeMap<TopicPartition, i64> = BTreeMap::new();
    let mut from = Vec::new();
    for (partition, ends) in partitions.iter().zip(ends).filter(|(_, ends)| ends.start < ends.end) {
        open.insert(partition.clone(), ends.end);
        from.push((partition.clone(), ends.start));
    }
    reader.assign(&from)?;
    let mut latest = Latest::new();
    while !open.is_empty() {
        for batch in reader.poll(FETCH, Duration::from_millis(100))? {
            let Some(end) = open.get(&batch.partition).copied() else { continue };
            for record in batch.records.into_iter().filter(|record| record.offset < end) {
                // What has no key belongs to nobody: there is nothing to compare it with.
                if let Some(key) = record.key.clone().filter(|key| filter.counts(key, &record)) {
                    latest.insert(key, record.value);
                }
            }
            if batch.position >= end {
                open.remove(&batch.partition);
                reader.unassign(std::slice::from_ref(&batch.partition))?;
            }
        }
    }
    Ok(latest)
}

/// The partitions of a topic of so many.
pub(super) fn partitions_of(topic: &str, count: i32) -> Vec<TopicPartition> {
    (0..count).map(|partition| TopicPartition::new(topic, partition)).collect()
}
