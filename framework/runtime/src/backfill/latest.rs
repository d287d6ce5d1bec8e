use std::collections::BTreeMap;

use bytes::Bytes;
use headwater_core::bounded::TimeRange;
use headwater_core::port::{Log, LogError};
use headwater_core::{Record, Timestamp, TopicPartition};

use super::scan::read_through;

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
    let mut latest = Latest::new();
    read_through(log, partitions, &mut |_, record| {
        // What has no key belongs to nobody: there is nothing to compare it with.
        if let Some(key) = record.key.clone().filter(|key| filter.counts(key, &record)) {
            latest.insert(key, record.value);
        }
    })?;
    Ok(latest)
}
