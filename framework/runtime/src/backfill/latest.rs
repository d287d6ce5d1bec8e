use std::collections::HashMap;

use headwater_core::bounded::TimeRange;
use headwater_core::port::LogError;
use headwater_core::{Record, Timestamp, TopicPartition};

use super::scan::Scan;

/// The last value of each key; none where it was deleted. Copies, because a record's bytes keep those of its neighbours in memory.
pub(super) type Latest = HashMap<Vec<u8>, Option<Vec<u8>>>;

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
pub(super) fn latest(scan: &mut Scan, partitions: &[TopicPartition], filter: Filter) -> Result<Latest, LogError> {
    let mut latest = Latest::new();
    scan.through(partitions, &mut |_, record| {
        // What has no key belongs to nobody: there is nothing to compare it with.
        let Some(key) = record.key.as_ref().filter(|key| filter.counts(key, &record)) else { return };
        match (latest.get_mut(&key[..]), &record.value) {
            (Some(Some(held)), Some(value)) => {
                held.clear();
                held.extend_from_slice(value);
            }
            (Some(held), value) => *held = value.as_ref().map(|value| value.to_vec()),
            (None, value) => drop(latest.insert(key.to_vec(), value.as_ref().map(|value| value.to_vec()))),
        }
    })?;
    Ok(latest)
}
