use std::any::Any;
use std::marker::PhantomData;

use super::sink::append;
use super::{Operator, Step};
use crate::codec::Codec;
use crate::failure::Failure;
use crate::key::Key;

/// Hands records to a system outside of the log.
pub(crate) struct Deliver<K, V, C> {
    /// The sink's number among those of the task.
    pub(crate) sink: usize,
    pub(crate) types: PhantomData<fn(K, V, C)>,
}

impl<K: Key, V: 'static, C: Codec<V>> Operator for Deliver<K, V, C> {
    fn process(&mut self, _port: usize, key: &dyn Any, value: &dyn Any, step: &mut Step<'_>) -> Result<(), Failure> {
        let key_end = append::<K, V, C>(key, value, step.state.deliveries.arena())?;
        step.state.deliveries.push(self.sink, key_end, step.partition, step.timestamp, step.watermark);
        Ok(())
    }
}
