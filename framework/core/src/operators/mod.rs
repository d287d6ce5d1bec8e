//! What a task's nodes do. Values pass between nodes by reference behind `Any`: the typed API made sure the types fit, so
//! a hop costs a virtual call and no allocation.

mod deliver;
mod join;
mod reduce;
mod sink;
mod source;
mod stateless;
mod step;
mod transform;
mod windowed_reduce;

use std::any::Any;

pub(crate) use deliver::Deliver;
pub(crate) use join::Join;
pub(crate) use reduce::Reduce;
pub(crate) use sink::Sink;
pub(crate) use source::{Refusal, Source, StreamSource, TableSource, TimestampOf, table_cell};
pub(crate) use stateless::{Branch, Filter, FlatMap, Map, Merge, Rekey};
pub(crate) use step::{Edge, Graph, Node, Step};
pub(crate) use transform::{Handler, TimerHandler, TransformNode};
pub(crate) use windowed_reduce::WindowedReduce;

use crate::failure::Failure;
use crate::time::Timestamp;

/// A node that is handed records by other nodes.
pub(crate) trait Operator {
    /// Handles one record that came in by `port`.
    fn process(&mut self, port: usize, key: &dyn Any, value: &dyn Any, step: &mut Step<'_>) -> Result<(), Failure>;

    /// Handles a time-ordered entry of the node's store number `slot` that is due: its time (plus the store's delay) has been
    /// passed by the watermark. The entry is removed already.
    fn due(&mut self, _slot: usize, _time: Timestamp, _key: &[u8], _step: &mut Step<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

/// The concrete type behind `Any`.
///
/// # Panics
/// Never, unless the typed API connected nodes of different types, which it cannot express.
pub(crate) fn typed<T: 'static>(any: &dyn Any) -> &T {
    any.downcast_ref().expect("the typed API connects only nodes of equal types")
}
