//! The uncommitted writes of one store: what the open transaction changed, newest value per key. Only here may changes
//! coalesce; each key reaches the changelog at most once per transaction.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;
use foldhash::fast::RandomState;
use indexmap::IndexMap;

use super::expiry::Expired;
use super::mark::Mark;

/// A change: the new value, or none for a deletion.
pub(crate) type Written = Option<Bytes>;

/// What a changed key costs beside its bytes and those of its value: its place in the map, and the allocations.
const ENTRY: usize = 160;

/// How often all changes may be gone through, on average, before order costs less.
const WALKS: usize = if cfg!(test) { 1 } else { 4 };

/// Keys are found by hash, and stand in the order in which they were written first: that of the changelog, the same on every machine. Order by key
/// costs several times as much per write, and is made for those who ask for a range.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    changes: IndexMap<Bytes, Written, RandomState>,
    /// The place of each key in `changes`; there once a range was looked at.
    sorted: OnceCell<BTreeMap<Bytes, usize>>,
    bytes: usize,
    /// Changes that were gone through for want of order, since it was empty.
    walked: usize,
    expired: Option<Expired>,
}

impl Overlay {
    /// What the transaction wrote to `key`: none if it did not touch it.
    pub(crate) fn get(&self, key: &[u8]) -> Option<&Written> {
        if self.changes.is_empty() { None } else { self.changes.get(key) }
    }

    /// Writes, returning the key's place, and what stood there before (for undoing). The key is copied if it is new.
    pub(crate) fn write(&mut self, key: &[u8], value: Written) -> (usize, Option<Written>) {
        self.bytes += value.as_ref().map_or(0, Bytes::len);
        if let Some((place, _, held)) = self.changes.get_full_mut(key) {
            let before = std::mem::replace(held, value);
            self.bytes -= before.as_ref().map_or(0, Bytes::len);
            return (place, Some(before));
        }
        self.bytes += key.len() + ENTRY;
        let key = Bytes::copy_from_slice(key);
        if let Some(sorted) = self.sorted.get_mut() {
            sorted.insert(key.clone(), self.changes.len());
        }
        (self.changes.insert_full(key, value).0, None)
    }

    /// Puts back what [`write`](Overlay::write) returned. Writes are undone newest first.
    pub(crate) fn undo(&mut self, place: usize, before: Option<Written>) {
        let undone = match before {
            Some(value) => {
                self.bytes += value.as_ref().map_or(0, Bytes::len);
                self.changes.get_index_mut(place).and_then(|(_, held)| std::mem::replace(held, value))
            }
            // The newest of all, because those after it are undone already.
            None => self.changes.pop().and_then(|(key, value)| {
                self.bytes -= key.len() + ENTRY;
                self.sorted.get_mut().map(|sorted| sorted.remove(&key));
                value
            }),
        };
        self.bytes -= undone.as_ref().map_or(0, Bytes::len);
    }

    /// The keys that have values and come before `end`, none of them before `from`, and where those begin that follow. Up to a few times all of it is gone through as it lies,
    /// in the order in which keys were written first, before it is worth putting in order by key.
    pub(super) fn before(&mut self, from: &[u8], end: &[u8]) -> (Vec<Bytes>, Mark) {
        let has_value = |(_, value): &(&Bytes, &Written)| value.is_some();
        if self.sorted.get().is_some() || self.walked > WALKS * self.changes.len() {
            let due = self.range(from, Some(end)).filter(has_value).map(|(key, _)| key.clone()).collect();
            let left = self.range(end, None).find(has_value);
            return (due, left.map_or(Mark::Nowhere, |(key, _)| Mark::From(key.clone())));
        }
        self.walked += self.changes.len();
        let (mut due, mut left) = (Vec::new(), Mark::Nowhere);
        for (key, _) in self.changes.iter().filter(has_value) {
            if key < end { due.push(key.clone()) } else { left.admit(key) }
        }
        (due, left)
    }

    /// All entries in a range are gone; each has its deletion among the changes, or among those of the commit under way. Ranges become one.
    pub(super) fn expire(&mut self, range: Expired) {
        self.expired = Some(match self.expired.take() {
            Some(before) => before.and(range),
            None => range,
        });
    }

    /// The range that expired, if one did. What was written there since is among the changes.
    pub(super) fn expired(&self) -> Option<&Expired> {
        self.expired.as_ref()
    }

    /// The key at a place that [`write`](Overlay::write) returned.
    pub(crate) fn key_at(&self, place: usize) -> Option<&Bytes> {
        self.changes.get_index(place).map(|(key, _)| key)
    }

    /// The changes with keys in `[from, to)`, by ascending key.
    pub(crate) fn range<'a>(
        &'a self,
        from: &[u8],
        to: Option<&[u8]>,
    ) -> impl Iterator<Item = (&'a Bytes, &'a Written)> + use<'a> {
        let sorted =
            self.sorted.get_or_init(|| self.changes.keys().enumerate().map(|(place, key)| (key.clone(), place)).collect());
        // BTreeMap panics on a range that ends before it begins; such a range is empty.
        let to = to.map_or(Bound::Unbounded, |to| Bound::Excluded(to.max(from)));
        sorted.range::<[u8], _>((Bound::Included(from), to)).filter_map(|(_, place)| self.changes.get_index(*place))
    }

    /// All changes in the order in which their keys were written first, but for so many of them.
    pub(crate) fn after(&self, first: usize) -> impl Iterator<Item = (&Bytes, &Written)> {
        self.changes.iter().skip(first)
    }

    /// Keys that were written.
    pub(crate) fn len(&self) -> usize {
        self.changes.len()
    }

    /// The same, leaving the overlay empty.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = (Bytes, Written)> {
        self.bytes = 0;
        self.sorted = OnceCell::new();
        self.walked = 0;
        self.expired = None;
        self.changes.drain(..)
    }

    /// Bytes of memory held, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One write: a key, and a value's length, or none to delete.
    type Write = (u8, Option<u8>);

    fn written((_, length): &Write) -> Written {
        length.map(|length| Bytes::from(vec![7; usize::from(length)]))
    }

    proptest! {
        /// Against a map that is copied before each step.
        #[test]
        fn is_a_sorted_map_that_can_go_back(
            steps in prop::collection::vec((prop::collection::vec((0u8..20, prop::option::of(any::<u8>())), 0..6), any::<bool>(), any::<bool>()), 0..30),
            from in 0u8..20,
            to in prop::option::of(0u8..20),
        ) {
            let (mut overlay, mut model) = (Overlay::default(), BTreeMap::<Vec<u8>, Written>::new());
            for (writes, is_kept, is_looked_at) in steps {
                let (before, bytes) = (model.clone(), overlay.bytes());
                let mut journal = Vec::new();
                for write in &writes {
                    journal.push(overlay.write(&[write.0], written(write)));
                    model.insert(vec![write.0], written(write));
                }
                if !is_kept {
                    while let Some((place, held)) = journal.pop() {
                        overlay.undo(place, held);
                    }
                    model = before;
                    prop_assert_eq!(overlay.bytes(), bytes);
                }
                if is_looked_at {
                    let ends = to.map(|to| vec![to]);
                    let seen: Vec<_> = overlay.range(&[from], ends.as_deref()).map(|(k, v)| (k.to_vec(), v.clone())).collect();
                    let within = |key: &Vec<u8>| key[0] >= from && to.is_none_or(|to| key[0] < to);
                    let expected: Vec<_> = model.iter().filter(|(key, _)| within(key)).map(|(k, v)| (k.clone(), v.clone())).collect();
                    prop_assert_eq!(seen, expected);
                }
                for key in 0..20 {
                    prop_assert_eq!(overlay.get(&[key]), model.get(&vec![key]));
                }
            }
            let taken: BTreeMap<_, _> = overlay.take().map(|(key, value)| (key.to_vec(), value)).collect();
            prop_assert_eq!(taken, model);
            prop_assert!(overlay.is_empty() && overlay.bytes() == 0);
        }
    }

    #[test]
    fn changes_leave_in_the_order_in_which_keys_were_written_first() {
        let mut overlay = Overlay::default();
        for key in [b"b", b"c", b"a", b"b"] {
            overlay.write(key, None);
        }
        let keys: Vec<Bytes> = overlay.take().map(|(key, _)| key).collect();
        assert_eq!(keys, ["b", "c", "a"]);
    }
}
