use std::collections::HashMap;

use headwater_core::port::LogError;

use super::handle::MemoryLog;
use super::partition::{Kind, Partition};

/// What compaction does with a record without value that is the last one of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tombstones {
    /// Keeps it, as Kafka does until `delete.retention.ms` has passed.
    Keep,
    /// Drops it.
    Drop,
}

impl MemoryLog {
    /// Compacts every partition of `topic` up to its last stable offset: only the last committed record of each key
    /// stays, at its offset; aborted records and transaction markers go. Records without key stay. Returns how many offsets
    /// were given up.
    ///
    /// # Errors
    /// [`LogError::UnknownTopic`].
    pub fn compact(&self, topic: &str, tombstones: Tombstones) -> Result<usize, LogError> {
        self.change(|state| {
            let partitions = &mut state.topics.get_mut(topic)?.partitions;
            Ok(partitions.iter_mut().map(|partition| partition.compact(tombstones)).sum())
        })
    }
}

impl Partition {
    fn compact(&mut self, tombstones: Tombstones) -> usize {
        let stable = self.visible_end(false);
        let count = self.entries.partition_point(|entry| entry.record.offset < stable);
        let mut last = HashMap::new();
        for entry in self.entries.range(..count).filter(|entry| entry.kind != Kind::Marker && !self.is_aborted(entry)) {
            if let Some(key) = &entry.record.key {
                last.insert(key.clone(), entry.record.offset);
            }
        }
        let before = self.entries.len();
        let aborted: Vec<bool> = self.entries.iter().map(|entry| self.is_aborted(entry)).collect();
        let mut aborted = aborted.into_iter();
        self.entries.retain(|entry| {
            let (record, aborted) = (&entry.record, aborted.next().unwrap_or(false));
            if record.offset >= stable {
                return true;
            }
            if aborted || entry.kind == Kind::Marker {
                return false;
            }
            let dropped = record.value.is_none() && tombstones == Tombstones::Drop;
            record.key.as_ref().is_none_or(|key| last.get(key) == Some(&record.offset) && !dropped)
        });
        self.forget_aborted_before(stable);
        before - self.entries.len()
    }
}
