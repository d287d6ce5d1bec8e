//! Committed values in memory, in front of a store: what was read or committed lately. It saves a look into the store, which costs a microsecond
//! where it is cheap.

mod entry;

use std::hash::BuildHasher;

use entry::Entry;
use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Two halves: what was used since the younger one was begun, and what was used before that. When the younger half has half of the memory,
/// the older one is dropped and it takes its place. So what is used often stays, and an entry has no place in any list that would have to be kept.
#[derive(Debug, Default)]
pub(super) struct Cache {
    young: HashTable<Entry>,
    /// What it has of a key that the younger half has, too, is out of date.
    old: HashTable<Entry>,
    /// Of the younger half.
    bytes: usize,
    /// What the older half had when it was the younger one: at least what it has.
    old_bytes: usize,
    limit: usize,
    /// Whether it has all that the store has: what it does not know is not there.
    is_complete: bool,
    hasher: RandomState,
}

impl Cache {
    /// In front of a store that is empty: as long as everything written to it has its place here, there is no need to look there.
    pub(super) fn of_empty_store() -> Cache {
        Cache { is_complete: true, ..Cache::default() }
    }

    /// Sets the bytes it may hold; 0 for none.
    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
        // The memory is wanted elsewhere: what is too large goes with its places. The older half never stays without the younger one, which knows better.
        let is_young_too_large = self.bytes > limit / 2;
        if is_young_too_large || self.old_bytes > limit / 2 {
            self.is_complete &= self.old.is_empty() && !is_young_too_large;
            (self.old, self.old_bytes) = (HashTable::new(), 0);
        }
        if is_young_too_large {
            (self.young, self.bytes) = (HashTable::new(), 0);
        }
    }

    /// What the store has for `key`, which may be nothing; none if that is not known here.
    pub(super) fn get(&mut self, key: &[u8]) -> Option<Option<&[u8]>> {
        if self.limit == 0 {
            return None;
        }
        let hash = self.hasher.hash_one(key);
        let is_it = |entry: &Entry| entry.key() == key;
        if let Some(place) = self.young.find_bucket_index(hash, is_it) {
            return self.young.get_bucket(place).map(Entry::value);
        }
        let Ok(old) = self.old.find_entry(hash, is_it) else { return self.is_complete.then_some(None) };
        let (entry, _) = old.remove();
        self.insert(hash, entry);
        self.make_room();
        // It may have filled the younger half.
        self.young.find(hash, is_it).or_else(|| self.old.find(hash, is_it)).map(Entry::value)
    }

    /// Takes down what the store has for `key`.
    pub(super) fn put(&mut self, key: &[u8], value: Option<&[u8]>) {
        if self.limit == 0 {
            self.is_complete = false;
            return;
        }
        let hash = self.hasher.hash_one(key);
        match self.young.find_mut(hash, |entry| entry.key() == key) {
            Some(entry) => {
                self.bytes -= entry.size();
                entry.set(value);
                self.bytes += entry.size();
            }
            None => self.insert(hash, Entry::new(key, value)),
        }
        self.make_room();
    }

    /// Adds what the younger half does not have.
    fn insert(&mut self, hash: u64, entry: Entry) {
        self.bytes += entry.size();
        self.young.insert_unique(hash, entry, |entry| self.hasher.hash_one(entry.key()));
    }

    fn make_room(&mut self) {
        if self.bytes > self.limit / 2 {
            self.is_complete &= self.old.is_empty();
            self.old_bytes = std::mem::take(&mut self.bytes);
            std::mem::swap(&mut self.young, &mut self.old);
            // It keeps its places: it is about to be filled again.
            self.young.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn knows_the_newest_value_or_none(
            writes in prop::collection::vec((0u8..30, prop::option::of(0u8..200), any::<u8>(), any::<bool>()), 0..200),
            limits in prop::collection::vec(prop::sample::select(vec![0, 1000, 5000, 1_000_000]), 1..4),
            is_new in any::<bool>(),
        ) {
            let mut cache = if is_new { Cache::of_empty_store() } else { Cache::default() };
            let mut store = HashMap::<Vec<u8>, Option<Vec<u8>>>::new();
            let every = writes.len().div_ceil(limits.len()).max(1);
            for (step, (key, length, fill, is_read)) in writes.into_iter().enumerate() {
                let limit = limits[step / every];
                cache.set_limit(limit);
                let (key, value) = (vec![key], length.map(|length| vec![fill; usize::from(length)]));
                if is_read {
                    let known = cache.get(&key).map(|known| known.map(<[u8]>::to_vec));
                    let held = store.get(&key).cloned();
                    prop_assert!(known.is_none() || known == held || (is_new && known == Some(None) && held.is_none()));
                } else {
                    cache.put(&key, value.as_deref());
                    prop_assert!(limit == 0 || cache.get(&key) == Some(value.as_deref()));
                    store.insert(key, value);
                }
                let held = |half: &HashTable<Entry>| half.iter().map(Entry::size).sum::<usize>();
                prop_assert_eq!(held(&cache.young), cache.bytes);
                // The entry that makes a half full is in it.
                prop_assert!(held(&cache.young) + held(&cache.old) <= limit + Entry::new(&[0], Some(&[0; 200])).size());
            }
        }
    }

    #[test]
    fn what_is_out_of_date_goes_before_what_replaced_it() {
        let size = Entry::new(&[0], Some(&[0])).size();
        let mut cache = Cache::of_empty_store();
        cache.set_limit(2 * size);
        (0..2).for_each(|number| cache.put(&[number], Some(b"a")));
        assert_eq!(cache.old.len(), 2, "both are old");
        cache.set_limit(100 * size);
        (0..20).for_each(|number| cache.put(&[number], Some(b"b")));
        cache.set_limit(4 * size);
        assert_eq!(cache.get(&[0]), None, "neither what it was nor that it is not there");
    }

    #[test]
    fn what_is_used_stays() {
        let mut cache = Cache::default();
        cache.set_limit(20 * Entry::new(&[0], None).size());
        for number in 0..200 {
            cache.put(&[number], None);
            if number >= 5 {
                assert_eq!(cache.get(&[5]), Some(None), "after {number}");
            }
        }
        assert_eq!(cache.get(&[6]), None);
    }
}
