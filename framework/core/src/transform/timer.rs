use bytes::Bytes;

use super::Cx;
use crate::failure::Failure;
use crate::key::Key;
use crate::state::layout;
use crate::time::Timestamp;

/// Event-time timers per key: a set of times. Setting a time twice is setting it once; each fires once, in order of time, when the
/// task's watermark reaches it. A time already passed fires right after the event being handled.
#[derive(Debug)]
pub struct Timer {
    slot: usize,
}

/// A timer that fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fired {
    pub(crate) at: Timestamp,
    pub(crate) slot: usize,
}

impl Fired {
    /// The time it was set for.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Whether it is a timer of this handle: for transforms with several.
    pub fn by(&self, timer: &Timer) -> bool {
        self.slot == timer.slot
    }
}

impl Timer {
    pub(super) fn in_slot(slot: usize) -> Timer {
        Timer { slot }
    }

    /// Sets a timer for the current key.
    pub fn at<K: Key>(&self, cx: &mut Cx<'_, K>, time: Timestamp) -> Result<(), Failure> {
        self.write(cx, time, Some(Bytes::new()))
    }

    /// Removes a timer of the current key; nothing happens if it is not set.
    pub fn cancel<K: Key>(&self, cx: &mut Cx<'_, K>, time: Timestamp) -> Result<(), Failure> {
        self.write(cx, time, None)
    }

    fn write<K: Key>(&self, cx: &mut Cx<'_, K>, time: Timestamp, value: Option<Bytes>) -> Result<(), Failure> {
        let mut entry = Vec::with_capacity(cx.key_bytes.len() + 8);
        layout::timed(time, cx.key_bytes, &mut entry);
        let store = cx.step.store(self.slot);
        cx.step.state.put(store, &entry, value);
        Ok(())
    }
}
