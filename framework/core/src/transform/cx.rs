use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use bytes::Bytes;

use crate::operators::Step;
use crate::time::Timestamp;

/// What a transform sees while it handles one event or timer: its key, event time, and through handles its state and
/// outputs. There is no wall clock and no I/O here, so that a replay gives the same answer.
pub struct Cx<'a, K> {
    pub(super) step: Step<'a>,
    key: &'a K,
    pub(super) key_bytes: &'a [u8],
}

impl<'a, K> Cx<'a, K> {
    pub(crate) fn new(step: &'a mut Step<'_>, key: &'a K, key_bytes: &'a [u8]) -> Cx<'a, K> {
        Cx { step: Step { graph: step.graph, state: step.state, ..*step }, key, key_bytes }
    }

    /// The key being processed.
    pub fn key(&self) -> &'a K {
        self.key
    }

    /// The event's time; in a timer, the time it was set for.
    pub fn timestamp(&self) -> Timestamp {
        self.step.timestamp
    }

    /// How far event time had come where the event entered: records before this are late.
    pub fn watermark(&self) -> Timestamp {
        self.step.watermark
    }
}

impl<K: fmt::Debug> fmt::Debug for Cx<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cx").field("key", &self.key).field("timestamp", &self.step.timestamp).finish_non_exhaustive()
    }
}

/// Stored bytes, readable for as long as nothing is written: the borrow checker refuses to hold one across a write.
#[derive(Debug)]
pub struct StateSlice<'a> {
    bytes: Bytes,
    skip: usize,
    borrowed: PhantomData<&'a ()>,
}

impl<'a> StateSlice<'a> {
    pub(super) fn new<K>(_cx: &'a Cx<'_, K>, bytes: Bytes, skip: usize) -> StateSlice<'a> {
        StateSlice { bytes, skip, borrowed: PhantomData }
    }
}

impl Deref for StateSlice<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes[self.skip..]
    }
}
