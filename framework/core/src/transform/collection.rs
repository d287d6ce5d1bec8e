//! What [`Map`](super::Map) and [`List`](super::List) share: entries stored together under their key's prefix.

use super::Cx;
use crate::codec::Codec;
use crate::failure::Failure;
use crate::state::{cell, layout};

/// The key of one entry of the current key's collection.
pub(super) fn entry_key<K>(cx: &Cx<'_, K>, encode: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut buffer = Vec::with_capacity(cx.key_bytes.len() + 16);
    layout::collection(cx.key_bytes, &mut buffer);
    encode(&mut buffer);
    buffer
}

pub(super) fn get<V, C: Codec<V>, K>(cx: &Cx<'_, K>, slot: usize, entry: &[u8]) -> Result<Option<V>, Failure> {
    Ok(cx.step.state.read(cx.step.store(slot), entry, cell::decode::<V, C>)??)
}

pub(super) fn put<V, C: Codec<V>, K>(cx: &mut Cx<'_, K>, slot: usize, entry: Vec<u8>, value: &V) -> Result<(), Failure> {
    let mut buffer = Vec::with_capacity(64);
    cell::begin(cx.step.timestamp, &mut buffer);
    C::encode(value, &mut buffer)?;
    let store = cx.step.store(slot);
    cx.step.state.put(store, &entry, Some(buffer.into()));
    Ok(())
}

pub(super) fn remove<K>(cx: &mut Cx<'_, K>, slot: usize, entry: Vec<u8>) {
    let store = cx.step.store(slot);
    cx.step.state.put(store, &entry, None);
}
