//! What a process said of its work.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use headwater::{Observer, TopicPartition};

/// Counts what operators were handed, and notes what was committed.
#[derive(Default)]
pub struct Observed {
    consumed: Mutex<BTreeMap<String, u64>>,
    positions: Mutex<BTreeMap<TopicPartition, i64>>,
}

impl Observed {
    /// Records of a topic that operators were handed, those of aborted transactions included.
    pub fn consumed(&self, topic: &str) -> u64 {
        self.consumed.lock().unwrap_or_else(PoisonError::into_inner).get(topic).copied().unwrap_or(0)
    }

    /// The position this process has committed for a partition while it ran; 0 if it has not.
    pub fn committed(&self, partition: &TopicPartition) -> i64 {
        self.positions.lock().unwrap_or_else(PoisonError::into_inner).get(partition).copied().unwrap_or(0)
    }
}

impl Observer for Observed {
    fn consumed(&self, topic: &str, records: u64, _bytes: u64) {
        *self.consumed.lock().unwrap_or_else(PoisonError::into_inner).entry(topic.to_owned()).or_default() += records;
    }

    fn progressed(&self, positions: &[(TopicPartition, i64)]) {
        self.positions.lock().unwrap_or_else(PoisonError::into_inner).extend(positions.iter().cloned());
    }
}
