use std::any::Any;
use std::marker::PhantomData;

use super::{Operator, Step, typed};
use crate::codec::Codec;
use crate::failure::Failure;
use crate::key::Key;
use crate::partition::partition_for;

/// Writes records to a topic: an output, or (with a key function) a repartition topic.
pub(crate) struct Sink<K, V, C> {
    /// The sink's number within the task.
    pub(crate) sink: usize,
    /// Partitions of the topic.
    pub(crate) partitions: i32,
    pub(crate) types: PhantomData<fn(K, V, C)>,
}

impl<K: Key, V: 'static, C: Codec<V>> Operator for Sink<K, V, C> {
    fn process(&mut self, _port: usize, key: &dyn Any, value: &dyn Any, step: &mut Step<'_>) -> Result<(), Failure> {
        let arena = step.state.outbox.arena();
        let start = arena.len();
        let key_end = append::<K, V, C>(key, value, arena)?;
        let partition = partition_for(Some(K::partitioned_by(&arena[start..key_end])), self.partitions, step.partition);
        step.state.outbox.push(self.sink, key_end, partition, step.timestamp, step.watermark);
        Ok(())
    }
}

/// Appends a record's key, then its value; answers where the key ends.
pub(super) fn append<K: Key, V: 'static, C: Codec<V>>(
    key: &dyn Any,
    value: &dyn Any,
    arena: &mut Vec<u8>,
) -> Result<usize, Failure> {
    let start = arena.len();
    typed::<K>(key).encode(arena);
    let key_end = arena.len();
    if let Err(error) = C::encode(typed(value), arena) {
        // Whoever goes on in spite of this failure must not send half a record in front of the next one.
        arena.truncate(start);
        return Err(error.into());
    }
    Ok(key_end)
}
