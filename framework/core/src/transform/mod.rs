//! The kernel of the API: a struct of typed handles that says what a transform may touch, and an `impl On<Event>` per input
//! that says what it does.

mod collection;
mod cx;
mod list;
mod map;
mod output;
mod setup;
mod timer;
mod value;

pub use cx::{Cx, StateSlice};
pub use list::List;
pub use map::Map;
pub use output::Output;
pub use setup::Setup;
pub use timer::{Fired, Timer};
pub use value::Value;

use std::time::Duration;

use crate::failure::Failure;
use crate::key::Key;

/// A keyed, stateful transform. Its fields are handles ([`Value`], [`Map`], [`List`], [`Timer`], [`Output`]) made in
/// [`setup`](Transform::setup); the state behind a handle is always that of the key being processed. Anything else in a field lasts only as
/// long as the task stays on this worker and is lost without trace: keep state in handles.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a transform",
    label = "does not say which state and outputs it has",
    note = "implement `headwater::Transform` for `{Self}`: its `Key` and `fn setup(s: &mut Setup<Self>) -> Self`"
)]
pub trait Transform: Sized + 'static {
    /// The key of every input.
    type Key: Key;
    /// Declares the state, timers and outputs. Called when the topology is built and once per task; it must declare the same each time.
    fn setup(s: &mut Setup<Self>) -> Self;
    /// How far back in event time its state matters: nothing that happened longer ago, timers included, changes what it sends. A run over a
    /// range of time reads this much before the range. Default: none, which means all of it, so that only a run from the beginning
    /// gives its results.
    fn horizon() -> Option<Duration> {
        None
    }
}

/// What a transform does with the events of one input.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has an input of `{E}` but does not say what to do with it",
    label = "no handler for `{E}`",
    note = "add `impl On<{E}> for {Self}` with `fn on(&mut self, event: &{E}, cx: &mut Cx<'_, Self::Key>) -> Result<(), Failure>`"
)]
pub trait On<E>: Transform {
    /// Handles one event. Its effects on state, timers and outputs happen together or, when this returns an error or panics,
    /// not at all.
    fn on(&mut self, event: &E, cx: &mut Cx<'_, Self::Key>) -> Result<(), Failure>;
}

/// What a transform does when one of its timers fires.
#[diagnostic::on_unimplemented(
    message = "`{Self}` declares a timer but does not say what to do when it fires",
    label = "no timer handler",
    note = "add `impl OnTimer for {Self}` with `fn on_timer(&mut self, fired: Fired, cx: &mut Cx<'_, Self::Key>) -> Result<(), Failure>`"
)]
pub trait OnTimer: Transform {
    /// Handles one timer of one key. Event time has reached the timer's time: every record with an earlier timestamp
    /// that keeps to its input's out-of-orderness bound has been handled.
    fn on_timer(&mut self, fired: Fired, cx: &mut Cx<'_, Self::Key>) -> Result<(), Failure>;
}
