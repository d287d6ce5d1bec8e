use std::collections::HashMap;

use headwater_core::{TopicName, TopicPartition};

/// Where each assigned partition is.
///
/// librdkafka leaves out what it fetched before a partition's newest assignment. That is checked here once more, as far
/// as offsets tell: nothing of a partition that is not assigned, and never backwards.
#[derive(Default)]
pub(super) struct Cursors(HashMap<TopicName, HashMap<i32, Cursor>>);

pub(super) struct Cursor {
    pub(super) partition: TopicPartition,
    /// The next offset to read.
    pub(super) position: i64,
    /// Held back by the engine. librdkafka keeps the mark over assignments, so it is taken off explicitly.
    pub(super) paused: bool,
    /// Whether its records' headers are looked for.
    pub(super) headers: bool,
}

impl Cursors {
    pub(super) fn get_mut(&mut self, topic: &str, partition: i32) -> Option<&mut Cursor> {
        self.0.get_mut(topic)?.get_mut(&partition)
    }

    pub(super) fn insert(&mut self, partition: &TopicPartition, position: i64, headers: bool) {
        let cursor = Cursor { partition: partition.clone(), position, paused: false, headers };
        self.0.entry(partition.topic.clone()).or_default().insert(partition.partition, cursor);
    }

    pub(super) fn remove(&mut self, partition: &TopicPartition) -> Option<Cursor> {
        self.0.get_mut(&partition.topic)?.remove(&partition.partition)
    }
}
