use std::marker::PhantomData;

use super::{Cx, StateSlice};
use crate::codec::{Codec, Json};
use crate::failure::Failure;
use crate::key::Key;
use crate::state::cell;

/// One value per key.
#[derive(Debug)]
pub struct Value<V, C = Json> {
    slot: usize,
    types: PhantomData<fn(V, C)>,
}

impl<V, C: Codec<V>> Value<V, C> {
    pub(super) fn in_slot(slot: usize) -> Value<V, C> {
        Value { slot, types: PhantomData }
    }

    /// The key's value, if it has one.
    pub fn get<K: Key>(&self, cx: &Cx<'_, K>) -> Result<Option<V>, Failure> {
        super::collection::get::<V, C, K>(cx, self.slot, cx.key_bytes)
    }

    /// The key's value as stored, without decoding or copying it.
    pub fn slice<'c, K: Key>(&self, cx: &'c Cx<'_, K>) -> Result<Option<StateSlice<'c>>, Failure> {
        let Some(stored) = cx.step.state.get(cx.step.store(self.slot), cx.key_bytes)? else { return Ok(None) };
        cell::split(&stored)?;
        Ok(Some(StateSlice::new(cx, stored, cell::HEADER)))
    }

    /// Sets the key's value.
    pub fn put<K: Key>(&self, cx: &mut Cx<'_, K>, value: &V) -> Result<(), Failure> {
        let mut buffer = Vec::with_capacity(64);
        cell::begin(cx.step.timestamp, &mut buffer);
        C::encode(value, &mut buffer)?;
        let store = cx.step.store(self.slot);
        cx.step.state.put(store, cx.key_bytes, Some(buffer.into()));
        Ok(())
    }

    /// Replaces the key's value by what `change` makes of it, and returns the new one.
    pub fn update<K: Key>(&self, cx: &mut Cx<'_, K>, change: impl FnOnce(Option<V>) -> V) -> Result<V, Failure> {
        let value = change(self.get(cx)?);
        self.put(cx, &value)?;
        Ok(value)
    }

    /// Removes the key's value.
    pub fn remove<K: Key>(&self, cx: &mut Cx<'_, K>) -> Result<(), Failure> {
        let store = cx.step.store(self.slot);
        cx.step.state.put(store, cx.key_bytes, None);
        Ok(())
    }
}
