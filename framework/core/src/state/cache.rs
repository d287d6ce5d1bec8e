//! Committed values in memory, in front of a store: what was read or committed lately. It saves a look into the store, which costs a microsecond
//! where it is cheap.

mod entry;
mod newest;

use std::hash::BuildHasher;

use entry::Entry;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use newest::Newest;

/// Bytes that a processor's own caches hold as a rule.
const NEAR: usize = 4 << 20;

/// When it is full, a hand goes round over the places of the table: what was used since it came by last stays, everything else goes (CLOCK, Corbató 1968). So
/// what is used often stays, all of the memory is of use, and an entry has no place in any list that would have to be kept.
#[derive(Debug, Default)]
pub(super) struct Cache {
    table: HashTable<Entry>,
    /// The place it looks at next.
    hand: usize,
    bytes: usize,
    limit: usize,
    /// Whether it has all that the store has: what it does not know is not there.
    is_complete: bool,
    hasher: RandomState,
    newest: Newest,
}

impl Cache {
    /// In front of a store that is empty: as long as everything written to it has its place here, there is no need to look there.
    pub(super) fn of_empty_store() -> Cache {
        Cache { is_complete: true, ..Cache::default() }
    }

    /// Sets the bytes it may hold; 0 for none.
    pub(super) fn set_limit(&mut self, limit: usize) {
        let is_less = limit < self.limit;
        self.limit = limit;
        if is_less && self.bytes > limit {
            self.make_room(0);
            // The memory is wanted elsewhere.
            self.table.shrink_to_fit(|entry| self.hasher.hash_one(entry.key()));
        }
    }

    /// What the store has for `key`, which may be nothing; none if that is not known here.
    pub(super) fn get(&mut self, key: &[u8]) -> Option<Option<&[u8]>> {
        if self.limit == 0 {
            return None;
        }
        self.admit();
        let hash = self.hasher.hash_one(key);
        match self.table.find_mut(hash, |entry| entry.key() == key) {
            Some(entry) => {
                entry.set_used(true);
                Some(entry.value())
            }
            None => self.is_complete.then_some(None),
        }
    }

    /// Whether it is known here what the store has for `key`.
    pub(super) fn knows(&self, key: &[u8]) -> bool {
        self.limit > 0 && (self.is_complete || self.has(key))
    }

    /// Has the processor fetch the memory where `key` is or would be, unless all there is should be near.
    pub(super) fn approach(&self, key: &[u8]) {
        if self.bytes > NEAR {
            std::hint::black_box(self.has(key));
        }
    }

    /// Whether `key` has a place in the table.
    fn has(&self, key: &[u8]) -> bool {
        self.table.find(self.hasher.hash_one(key), |entry| entry.key() == key).is_some()
    }

    /// Takes down what was found in the store for `key`, which was not known here.
    pub(super) fn found(&mut self, key: &[u8], value: Option<&[u8]>) {
        if self.limit > 0 {
            self.admit();
            self.newest.set(key, value);
        }
    }

    /// `key` is being written: what was found for it is of no use any more.
    pub(super) fn outdate(&mut self, key: &[u8]) {
        if self.newest.is_of(key) {
            self.newest.clear();
        }
    }

    /// Gives what was found last a place in the table.
    fn admit(&mut self) {
        if self.newest.is_set() {
            let mut newest = std::mem::take(&mut self.newest);
            self.put(newest.key(), newest.value());
            // Its memory is for the next one.
            newest.clear();
            self.newest = newest;
        }
    }

    /// Takes down what the store has for `key`.
    pub(super) fn put(&mut self, key: &[u8], value: Option<&[u8]>) {
        self.outdate(key);
        if self.limit == 0 {
            self.is_complete = false;
            return;
        }
        let hash = self.hasher.hash_one(key);
        if Entry::size_of(key, value) > self.limit {
            // It would push everything else out.
            self.is_complete = false;
            if let Ok(place) = self.table.find_entry(hash, |entry| entry.key() == key) {
                self.bytes -= place.remove().0.size();
            }
            return;
        }
        match self.table.find_mut(hash, |entry| entry.key() == key) {
            Some(entry) => {
                self.bytes -= entry.size();
                entry.set(value);
                entry.set_used(true);
                self.bytes += entry.size();
                self.make_room(0);
            }
            None => {
                let entry = Entry::new(key, value);
                self.make_room(entry.size());
                self.bytes += entry.size();
                self.table.insert_unique(hash, entry, |entry| self.hasher.hash_one(entry.key()));
            }
        }
    }

    /// For so many bytes more, as far as there is anything that can go.
    fn make_room(&mut self, bytes: usize) {
        while self.bytes + bytes > self.limit && !self.table.is_empty() {
            self.hand = if self.hand < self.table.num_buckets() { self.hand } else { 0 };
            if let Ok(mut place) = self.table.get_bucket_entry(self.hand) {
                if place.get().is_used() {
                    place.get_mut().set_used(false);
                } else {
                    self.bytes -= place.remove().0.size();
                    self.is_complete = false;
                }
            }
            self.hand += 1;
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
            limits in prop::collection::vec(prop::sample::select(vec![0, 100, 1000, 5000, 1_000_000]), 1..4),
            is_new in any::<bool>(),
        ) {
            let mut cache = if is_new { Cache::of_empty_store() } else { Cache::default() };
            let mut store = HashMap::<Vec<u8>, Option<Vec<u8>>>::new();
            let every = writes.len().div_ceil(limits.len()).max(1);
            for (step, (key, length, fill, is_read)) in writes.into_iter().enumerate() {
                let limit = limits[step / every];
                cache.set_limit(limit);
                let (key, value) = (vec![key], length.map(|length| vec![fill; usize::from(length)]));
                cache.approach(&key);
                if is_read {
                    let known = cache.get(&key).map(|known| known.map(<[u8]>::to_vec));
                    let held = store.get(&key).cloned().flatten();
                    if let Some(known) = known {
                        prop_assert_eq!(known, held);
                    } else {
                        cache.found(&key, held.as_deref());
                    }
                } else {
                    cache.outdate(&key);
                    cache.put(&key, value.as_deref());
                    // One that has grown may have to go itself.
                    let known = cache.get(&key);
                    prop_assert!(known.is_none() || known == Some(value.as_deref()));
                    prop_assert!(known.is_some() || limit < 1_000_000);
                    store.insert(key, value);
                }
                prop_assert_eq!(cache.table.iter().map(Entry::size).sum::<usize>(), cache.bytes);
                prop_assert!(cache.bytes <= limit);
            }
        }
    }

    #[test]
    fn what_is_too_large_for_it_leaves_the_rest_alone() {
        let mut cache = Cache::of_empty_store();
        cache.set_limit(10 * Entry::size_of(&[0], None));
        (0..9).for_each(|number| cache.put(&[number], None));
        for key in [8, 9] {
            cache.put(&[key], Some(&[0; 10_000]));
            assert_eq!(cache.get(&[key]), None, "its old value is not what it has");
        }
        assert_eq!((0..8).filter(|number| cache.get(&[*number]).is_some()).count(), 8);
    }

    #[test]
    fn what_was_found_gets_a_place_unless_it_is_written_next() {
        let mut cache = Cache::default();
        cache.set_limit(1000);
        cache.found(&[1], Some(b"a"));
        assert_eq!(cache.get(&[1]), Some(Some(&b"a"[..])));
        assert!(cache.knows(&[1]) && !cache.knows(&[2]));
        cache.found(&[2], None);
        cache.outdate(&[2]);
        assert_eq!(cache.get(&[2]), None);
        cache.found(&[3], None);
        cache.found(&[5], None);
        assert_eq!(cache.get(&[4]), None);
        assert_eq!(cache.get(&[5]), Some(None));
        assert_eq!(cache.get(&[3]), Some(None));
        assert_eq!(cache.get(&[1]), Some(Some(&b"a"[..])));
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
