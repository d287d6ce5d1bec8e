use std::any::Any;

use super::{Operator, Step, typed};
use crate::failure::Failure;
use crate::key::Key;
use crate::time::Timestamp;
use crate::transform::{Cx, Fired, Transform};

/// Hands a value of one input to the transform's `On` implementation for it.
pub(crate) type Handler<T> = fn(&mut T, &dyn Any, &mut Cx<'_, <T as Transform>::Key>) -> Result<(), Failure>;

/// Calls the transform's `OnTimer`.
pub(crate) type TimerHandler<T> = fn(&mut T, Fired, &mut Cx<'_, <T as Transform>::Key>) -> Result<(), Failure>;

/// Runs a user's transform.
pub(crate) struct TransformNode<T: Transform> {
    pub(crate) transform: T,
    /// One handler per port.
    pub(crate) handlers: Vec<Handler<T>>,
    /// The handler of timers; none if the transform declares none.
    pub(crate) timer: Option<TimerHandler<T>>,
    pub(crate) key: Vec<u8>,
}

impl<T: Transform> Operator for TransformNode<T> {
    fn process(&mut self, port: usize, key: &dyn Any, value: &dyn Any, step: &mut Step<'_>) -> Result<(), Failure> {
        let key: &T::Key = typed(key);
        self.key.clear();
        key.encode(&mut self.key);
        self.handlers[port](&mut self.transform, value, &mut Cx::new(step, key, &self.key))
    }

    fn due(&mut self, slot: usize, time: Timestamp, key: &[u8], step: &mut Step<'_>) -> Result<(), Failure> {
        let Some(handler) = self.timer else { return Ok(()) };
        let decoded = T::Key::decode(key)?;
        handler(&mut self.transform, Fired { at: time, slot }, &mut Cx::new(step, &decoded, key))
    }
}
