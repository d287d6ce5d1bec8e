//! The short front door: fold events into a state per key.

use crate::time::Timestamp;
use crate::window::Window;

/// Where and when an event is folded in.
#[derive(Clone, Copy, Debug)]
pub struct At<'a, K> {
    pub(crate) key: &'a K,
    pub(crate) window: Option<Window>,
    pub(crate) timestamp: Timestamp,
}

impl<'a, K> At<'a, K> {
    /// For calling a reducer by hand, in a unit test.
    pub fn new(key: &'a K, window: Option<Window>, timestamp: Timestamp) -> At<'a, K> {
        At { key, window, timestamp }
    }

    /// The key.
    pub fn key(&self) -> &'a K {
        self.key
    }

    /// The window, after `.window(...)`; none for a running total.
    pub fn window(&self) -> Option<Window> {
        self.window
    }

    /// The event's time.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }
}

/// Folds the events of a key (or of a key's window) into a state: a function without a context, so it can be tested by
/// calling it. The state is kept as JSON, or as a codec of your own says; its `Default` is where a new key begins.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a reducer",
    label = "does not say how to fold events",
    note = "implement `headwater::Reduce` for `{Self}`: its `Key`, `Event`, `State`, `Out` and the function `reduce`"
)]
pub trait Reduce: 'static {
    /// The stream's key.
    type Key;
    /// What is folded.
    type Event;
    /// What is kept per key.
    type State: Default;
    /// What is emitted.
    type Out;

    /// Folds one event in. What is returned is emitted for this update; none emits nothing.
    fn reduce(state: &mut Self::State, event: &Self::Event, at: &At<'_, Self::Key>) -> Option<Self::Out>;
}
