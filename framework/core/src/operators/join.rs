use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;

use super::{Operator, Step, typed};
use crate::codec::Codec;
use crate::failure::Failure;
use crate::key::Key;
use crate::state::cell;

/// Looks a stream's key up in a table (slot 0) and forwards what the function makes of both.
pub(crate) struct Join<K, V, T, R, C, F> {
    pub(crate) function: Arc<F>,
    pub(crate) key: Vec<u8>,
    pub(crate) types: PhantomData<fn(K, V, T, C) -> R>,
}

impl<K, V, T, R, C, F> Operator for Join<K, V, T, R, C, F>
where
    K: Key,
    V: 'static,
    T: 'static,
    R: 'static,
    C: Codec<T>,
    F: Fn(&V, Option<&T>) -> Option<R>,
{
    fn process(&mut self, _port: usize, key: &dyn Any, value: &dyn Any, step: &mut Step<'_>) -> Result<(), Failure> {
        self.key.clear();
        typed::<K>(key).encode(&mut self.key);
        let row = step.state.read(step.store(0), &self.key, cell::decode::<T, C>)??;
        match (self.function)(typed(value), row.as_ref()) {
            Some(joined) => step.forward(0, key, &joined),
            None => Ok(()),
        }
    }
}
