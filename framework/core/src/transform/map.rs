use std::marker::PhantomData;
use std::ops::{Bound, RangeBounds};

use super::{Cx, collection};
use crate::codec::{Codec, Json};
use crate::failure::Failure;
use crate::key::Key;
use crate::sort_key::SortKey;
use crate::state::{cell, layout};

/// A sorted map per key. Entries are stored one by one: a large map costs what is touched of it.
#[derive(Debug)]
pub struct Map<M, V, C = Json> {
    slot: usize,
    types: PhantomData<fn(M, V, C)>,
}

impl<M: SortKey, V, C: Codec<V>> Map<M, V, C> {
    pub(super) fn in_slot(slot: usize) -> Map<M, V, C> {
        Map { slot, types: PhantomData }
    }

    /// The value of an entry, if there is one.
    pub fn get<K: Key>(&self, cx: &Cx<'_, K>, entry: &M) -> Result<Option<V>, Failure> {
        collection::get::<V, C, K>(cx, self.slot, &collection::entry_key(cx, |buffer| entry.encode(buffer)))
    }

    /// Adds or replaces an entry.
    pub fn put<K: Key>(&self, cx: &mut Cx<'_, K>, entry: &M, value: &V) -> Result<(), Failure> {
        let key = collection::entry_key(cx, |buffer| entry.encode(buffer));
        collection::put::<V, C, K>(cx, self.slot, key, value)
    }

    /// Removes an entry; nothing happens if there is none.
    pub fn remove<K: Key>(&self, cx: &mut Cx<'_, K>, entry: &M) -> Result<(), Failure> {
        let key = collection::entry_key(cx, |buffer| entry.encode(buffer));
        collection::remove(cx, self.slot, key);
        Ok(())
    }

    /// The entries of a range, by ascending entry key, read from the store as the iterator advances.
    pub fn range<'c, K: Key, B: RangeBounds<M>>(
        &self,
        cx: &'c Cx<'_, K>,
        range: B,
    ) -> Result<impl Iterator<Item = Result<(M, V), Failure>> + use<'c, K, B, M, V, C>, Failure> {
        let prefix = collection::entry_key(cx, |_| ());
        let from = match range.start_bound() {
            Bound::Included(first) => collection::entry_key(cx, |buffer| first.encode(buffer)),
            // The smallest key after `first`: its own bytes followed by a zero.
            Bound::Excluded(first) => after(collection::entry_key(cx, |buffer| first.encode(buffer))),
            Bound::Unbounded => prefix.clone(),
        };
        let to = match range.end_bound() {
            Bound::Included(last) => Some(after(collection::entry_key(cx, |buffer| last.encode(buffer)))),
            Bound::Excluded(end) => Some(collection::entry_key(cx, |buffer| end.encode(buffer))),
            Bound::Unbounded => layout::after_prefix(&prefix),
        };
        let skip = prefix.len();
        let entries = cx.step.state.scan(cx.step.store(self.slot), &from, to.as_deref())?;
        Ok(entries.map(move |entry| {
            let (key, stored) = entry?;
            Ok((M::decode(&key[skip..])?, C::decode(cell::split(&stored)?.1)?))
        }))
    }

    /// All entries, by ascending entry key.
    pub fn entries<'c, K: Key>(
        &self,
        cx: &'c Cx<'_, K>,
    ) -> Result<impl Iterator<Item = Result<(M, V), Failure>> + use<'c, K, M, V, C>, Failure> {
        self.range(cx, ..)
    }
}

fn after(mut key: Vec<u8>) -> Vec<u8> {
    key.push(0);
    key
}
