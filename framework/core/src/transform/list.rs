use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::{Cx, collection};
use crate::codec::{Codec, Json};
use crate::failure::Failure;
use crate::key::Key;
use crate::sort_key::SortKey;
use crate::state::cell;

/// A queue per key: append at the end, take from the front. Elements are stored one by one.
#[derive(Debug)]
pub struct List<V, C = Json> {
    slot: usize,
    types: PhantomData<fn(V, C)>,
}

/// Where a list begins and ends; stored under the bare key prefix.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct Ends {
    first: u64,
    next: u64,
}

impl<V, C: Codec<V>> List<V, C> {
    pub(super) fn in_slot(slot: usize) -> List<V, C> {
        List { slot, types: PhantomData }
    }

    /// The number of elements.
    pub fn len<K: Key>(&self, cx: &Cx<'_, K>) -> Result<u64, Failure> {
        let ends = self.ends(cx)?;
        Ok(ends.next - ends.first)
    }

    /// Whether there are no elements.
    pub fn is_empty<K: Key>(&self, cx: &Cx<'_, K>) -> Result<bool, Failure> {
        Ok(self.len(cx)? == 0)
    }

    /// Appends an element.
    pub fn push<K: Key>(&self, cx: &mut Cx<'_, K>, value: &V) -> Result<(), Failure> {
        let ends = self.ends(cx)?;
        let key = collection::entry_key(cx, |buffer| SortKey::encode(&ends.next, buffer));
        collection::put::<V, C, K>(cx, self.slot, key, value)?;
        self.set_ends(cx, Ends { next: ends.next + 1, ..ends })
    }

    /// Takes the first element out, if there is one.
    pub fn pop_front<K: Key>(&self, cx: &mut Cx<'_, K>) -> Result<Option<V>, Failure> {
        let ends = self.ends(cx)?;
        if ends.first == ends.next {
            return Ok(None);
        }
        let key = collection::entry_key(cx, |buffer| SortKey::encode(&ends.first, buffer));
        let value = collection::get::<V, C, K>(cx, self.slot, &key)?;
        collection::remove(cx, self.slot, key);
        self.set_ends(cx, Ends { first: ends.first + 1, ..ends })?;
        Ok(value)
    }

    /// The elements from first to last.
    pub fn iter<'c, K: Key>(
        &self,
        cx: &'c Cx<'_, K>,
    ) -> Result<impl Iterator<Item = Result<V, Failure>> + use<'c, K, V, C>, Failure> {
        let ends = self.ends(cx)?;
        let from = collection::entry_key(cx, |buffer| SortKey::encode(&ends.first, buffer));
        let to = collection::entry_key(cx, |buffer| SortKey::encode(&ends.next, buffer));
        let entries = cx.step.state.scan(cx.step.store(self.slot), &from, Some(&to))?;
        Ok(entries.map(|entry| Ok(C::decode(cell::split(&entry?.1)?.1)?)))
    }

    fn ends<K: Key>(&self, cx: &Cx<'_, K>) -> Result<Ends, Failure> {
        let key = collection::entry_key(cx, |_| ());
        Ok(collection::get::<Ends, Json, K>(cx, self.slot, &key)?.unwrap_or_default())
    }

    /// An empty list leaves nothing behind.
    fn set_ends<K: Key>(&self, cx: &mut Cx<'_, K>, ends: Ends) -> Result<(), Failure> {
        let key = collection::entry_key(cx, |_| ());
        if ends.first == ends.next {
            collection::remove(cx, self.slot, key);
            return Ok(());
        }
        collection::put::<Ends, Json, K>(cx, self.slot, key, &ends)
    }
}
