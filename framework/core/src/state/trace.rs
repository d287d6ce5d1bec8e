//! What made what, kept while the record is searched for that the log refuses for good.

use std::collections::HashMap;

use bytes::Bytes;

use crate::record::TopicPartition;

/// What makes a task write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A record of an input.
    Record { partition: TopicPartition, offset: i64 },
    /// A due entry of a time-ordered store.
    Timer { store: usize, entry: Bytes },
}

/// Causes of what waits to be written.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    /// In order, each with the number of records that waited in the outbox after it.
    causes: Vec<(Cause, usize)>,
    /// Who wrote a key of a store last: before that it was committed, so it fitted.
    writers: HashMap<(usize, Bytes), Cause>,
}

impl Trace {
    pub(crate) fn add(&mut self, cause: Cause, waiting: usize, written: impl Iterator<Item = (usize, Bytes)>) {
        self.writers.extend(written.map(|key| (key, cause.clone())));
        self.causes.push((cause, waiting));
    }

    /// Whether record number `n` of the outbox, from 1, is the last of its cause.
    pub(crate) fn is_last(&self, n: usize) -> bool {
        self.causes.iter().any(|(_, end)| *end == n)
    }

    /// Who made record number `n` of the outbox, from 1.
    pub(crate) fn cause_of(&self, n: usize) -> Option<Cause> {
        self.causes.iter().find(|(_, end)| *end >= n).map(|(cause, _)| cause.clone())
    }

    pub(crate) fn writer_of(&self, store: usize, key: &Bytes) -> Option<Cause> {
        self.writers.get(&(store, key.clone())).cloned()
    }

    /// The outbox is empty again.
    pub(crate) fn sent(&mut self) {
        self.causes.clear();
    }

    /// What was written is committed.
    pub(crate) fn committed(&mut self) {
        self.writers.clear();
    }
}
