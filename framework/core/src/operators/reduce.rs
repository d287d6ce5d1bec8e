use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;

use super::{Operator, Step, typed};
use crate::codec::{Codec, CodecError};
use crate::failure::Failure;
use crate::key::Key;
use crate::reduce::At;
use crate::state::cell;
use crate::time::Timestamp;

/// Folds events per key into a running state (slot 0).
pub(crate) struct Reduce<K, E, S, O, C, F> {
    pub(crate) function: Arc<F>,
    pub(crate) key: Vec<u8>,
    pub(crate) cell: Vec<u8>,
    pub(crate) types: PhantomData<fn(K, E, C) -> (S, O)>,
}

impl<K, E, S, O, C, F> Operator for Reduce<K, E, S, O, C, F>
where
    K: Key,
    E: 'static,
    S: Default + 'static,
    O: 'static,
    C: Codec<S>,
    F: Fn(&mut S, &E, &At<'_, K>) -> Option<O>,
{
    fn process(&mut self, _port: usize, key: &dyn Any, value: &dyn Any, step: &mut Step<'_>) -> Result<(), Failure> {
        let typed_key: &K = typed(key);
        self.key.clear();
        typed_key.encode(&mut self.key);
        let store = step.store(0);
        let timestamp = step.timestamp;
        let (mut state, newest) = step.state.read(store, &self.key, |stored| held::<S, C>(stored, timestamp))??;
        let out = (self.function)(&mut state, typed(value), &At { key: typed_key, window: None, timestamp: step.timestamp });
        cell::begin(newest, &mut self.cell);
        C::encode(&state, &mut self.cell)?;
        step.state.put(store, &self.key, Some(Bytes::copy_from_slice(&self.cell)));
        match out {
            Some(out) => step.forward_at(0, key, &out, newest),
            None => Ok(()),
        }
    }
}

/// The state of a key with the newest time that went into it, that of the event included.
pub(super) fn held<S: Default, C: Codec<S>>(stored: Option<&[u8]>, event: Timestamp) -> Result<(S, Timestamp), CodecError> {
    let Some(stored) = stored else { return Ok((S::default(), event)) };
    let (newest, payload) = cell::split(stored)?;
    Ok((C::decode(payload)?, newest.max(event)))
}
