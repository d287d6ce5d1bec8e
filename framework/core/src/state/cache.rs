//! Committed values in memory, in front of a store: what was read or committed lately. It saves a look into the store, which costs a microsecond
//! where it is cheap.

use std::collections::HashMap;

use bytes::Bytes;
use foldhash::fast::RandomState;

use super::overlay::Written;

/// What an entry costs beside its bytes: its place in the map, and the allocations.
const ENTRY: usize = 160;

type Held = HashMap<Bytes, Written, RandomState>;

/// Two halves: what was used since the younger one was begun, and what was used before that. When the younger half has half of the memory,
/// the older one is dropped and it takes its place. So what is used often stays, and an entry has no place in any list that would have to be kept.
#[derive(Debug, Default)]
pub(super) struct Cache {
    young: Held,
    old: Held,
    /// Of the younger half.
    bytes: usize,
    limit: usize,
}

impl Cache {
    /// Sets the bytes it may hold; 0 for none.
    pub(super) fn set_limit(&mut self, limit: usize) {
        if self.limit != limit {
            self.limit = limit;
            self.make_room();
        }
    }

    /// What the store has for `key`; none if that is not known here.
    pub(super) fn get(&mut self, key: &[u8]) -> Option<Written> {
        if let Some(held) = self.young.get(key) {
            return Some(held.clone());
        }
        let (key, held) = self.old.remove_entry(key)?;
        self.insert(key, held.clone());
        Some(held)
    }

    /// Takes down what the store has for `key`.
    pub(super) fn put(&mut self, key: &Bytes, value: &Written) {
        if self.limit > 0 {
            // Otherwise this one would come back when the younger half is dropped first.
            self.old.remove(key);
            self.insert(key.clone(), value.clone());
        }
    }

    fn insert(&mut self, key: Bytes, value: Written) {
        let length = key.len();
        self.bytes += value.as_ref().map_or(0, Bytes::len);
        match self.young.insert(key, value) {
            Some(before) => self.bytes -= before.as_ref().map_or(0, Bytes::len),
            None => self.bytes += length + ENTRY,
        }
        self.make_room();
    }

    fn make_room(&mut self) {
        if self.bytes > self.limit / 2 {
            self.bytes = 0;
            self.old = std::mem::take(&mut self.young);
        }
        if self.limit == 0 {
            self.old = Held::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn knows_the_newest_value_or_none(
            writes in prop::collection::vec((0u8..30, prop::option::of(0u8..200), any::<bool>()), 0..200),
            limit in prop::sample::select(vec![0, 1000, 5000, 1_000_000]),
        ) {
            let (mut cache, mut store) = (Cache::default(), HashMap::new());
            cache.set_limit(limit);
            for (key, length, is_read) in writes {
                let (key, value) = (Bytes::from(vec![key]), length.map(|length| Bytes::from(vec![1; usize::from(length)])));
                if is_read {
                    let known = cache.get(&key);
                    prop_assert!(known.is_none() || known.as_ref() == store.get(&key));
                } else {
                    cache.put(&key, &value);
                    store.insert(key, value);
                }
                let held = |half: &Held| half.iter().map(|(key, value)| key.len() + ENTRY + value.as_ref().map_or(0, Bytes::len)).sum::<usize>();
                prop_assert_eq!(held(&cache.young), cache.bytes);
                // The entry that makes a half full is in it.
                prop_assert!(held(&cache.young) + held(&cache.old) <= limit + ENTRY + 201);
            }
        }
    }

    #[test]
    fn what_is_used_stays() {
        let mut cache = Cache::default();
        cache.set_limit(20 * (ENTRY + 1));
        let key = |number: u8| Bytes::from(vec![number]);
        for number in 0..200 {
            cache.put(&key(number), &None);
            if number >= 5 {
                assert_eq!(cache.get(&[5]), Some(None), "after {number}");
            }
        }
        assert_eq!(cache.get(&[6]), None);
    }
}
