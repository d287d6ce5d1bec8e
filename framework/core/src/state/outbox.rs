//! Records on their way out. They wait here until the step that made them has succeeded.

use super::limit::{Limit, TooLarge};
use crate::time::Timestamp;

/// One waiting record; its bytes are in the outbox's arena.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    sink: usize,
    key_end: usize,
    value_end: usize,
    partition: i32,
    timestamp: Timestamp,
    /// The watermark the record carries: what its lateness is judged by downstream.
    carried: Timestamp,
    /// The watermark below which the task promises nothing more.
    promise: Timestamp,
}

/// A waiting record, looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Envelope<'a> {
    pub(crate) sink: usize,
    pub(crate) partition: i32,
    pub(crate) key: &'a [u8],
    pub(crate) value: &'a [u8],
    pub(crate) timestamp: Timestamp,
    pub(crate) carried: Timestamp,
    pub(crate) promise: Timestamp,
}

/// Keeps records in one growing buffer: no allocation per record once it has its size.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    arena: Vec<u8>,
    waiting: Vec<Waiting>,
    kept: usize,
    kept_bytes: usize,
    /// What the step in progress promises; set by the task before each step.
    pub(crate) promise: Timestamp,
    /// What the sinks' topics take, by sink.
    limits: Vec<Limit>,
    /// The first record of the step in progress that is too large.
    too_large: Option<TooLarge>,
}

impl Outbox {
    pub(crate) fn new(limits: Vec<Limit>) -> Outbox {
        Outbox { limits, ..Outbox::default() }
    }

    /// Fails if the step in progress added a record that is too large.
    pub(crate) fn fits(&self) -> Result<(), TooLarge> {
        self.too_large.clone().map_or(Ok(()), Err)
    }

    /// Records waiting.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The buffer to append a record's key, then its value to; [`push`](Outbox::push) follows.
    pub(crate) fn arena(&mut self) -> &mut Vec<u8> {
        &mut self.arena
    }

    /// Adds the record whose key and value were appended to the arena.
    pub(crate) fn push(&mut self, sink: usize, key_end: usize, partition: i32, timestamp: Timestamp, carried: Timestamp) {
        let promise = self.promise;
        let size = self.arena.len() - self.waiting.last().map_or(0, |before| before.value_end);
        if let Some(Err(too_large)) = self.limits.get(sink).map(|limit| limit.check(size)) {
            self.too_large.get_or_insert(too_large);
        }
        self.waiting.push(Waiting { sink, key_end, value_end: self.arena.len(), partition, timestamp, carried, promise });
    }

    /// Makes what was added since the last keep permanent.
    pub(crate) fn keep(&mut self) {
        self.kept = self.waiting.len();
        self.kept_bytes = self.arena.len();
    }

    /// Removes what was added since the last keep.
    pub(crate) fn undo(&mut self) {
        self.waiting.truncate(self.kept);
        self.arena.truncate(self.kept_bytes);
        self.too_large = None;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Hands every record out in order, then forgets them; stops at the first error, and then forgets none.
    pub(crate) fn drain<E>(&mut self, each: impl FnMut(Envelope<'_>) -> Result<(), E>) -> Result<(), E> {
        self.show(each)?;
        self.clear();
        Ok(())
    }

    /// Shows every record in order; stops at the first error.
    pub(crate) fn show<E>(&self, mut each: impl FnMut(Envelope<'_>) -> Result<(), E>) -> Result<(), E> {
        let mut start = 0;
        for waiting in &self.waiting {
            let Waiting { sink, key_end, value_end, partition, timestamp, carried, promise } = *waiting;
            let (key, value) = (&self.arena[start..key_end], &self.arena[key_end..value_end]);
            each(Envelope { sink, partition, key, value, timestamp, carried, promise })?;
            start = value_end;
        }
        Ok(())
    }

    /// Forgets every record.
    pub(crate) fn clear(&mut self) {
        self.arena.clear();
        self.waiting.clear();
        self.keep();
    }
}
