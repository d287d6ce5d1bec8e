//! The uncommitted writes of one store: what the open transaction changed, newest value per key. Only here may changes
//! coalesce; each key reaches the changelog at most once per transaction.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;

/// A change: the new value, or none for a deletion.
pub(crate) type Written = Option<Bytes>;

/// What a changed key costs beside its bytes and those of its value: its place in the map, and the allocations.
const ENTRY: usize = 160;

#[derive(Debug, Default)]
pub(crate) struct Overlay {
    changes: BTreeMap<Bytes, Written>,
    bytes: usize,
}

impl Overlay {
    /// What the transaction wrote to `key`: none if it did not touch it.
    pub(crate) fn get(&self, key: &[u8]) -> Option<&Written> {
        self.changes.get(key)
    }

    /// Writes, returning what stood here before (for undoing).
    pub(crate) fn write(&mut self, key: Bytes, value: Written) -> Option<Written> {
        self.bytes += value.as_ref().map_or(0, Bytes::len);
        let key_bytes = key.len();
        let before = self.changes.insert(key, value);
        match &before {
            Some(old) => self.bytes -= old.as_ref().map_or(0, Bytes::len),
            None => self.bytes += key_bytes + ENTRY,
        }
        before
    }

    /// Puts back what [`write`](Overlay::write) returned.
    pub(crate) fn undo(&mut self, key: &Bytes, before: Option<Written>) {
        match before {
            Some(value) => {
                self.write(key.clone(), value);
            }
            None => {
                if let Some(value) = self.changes.remove(key) {
                    self.bytes -= key.len() + ENTRY + value.as_ref().map_or(0, Bytes::len);
                }
            }
        }
    }

    /// The changes with keys in `[from, to)`, in order.
    pub(crate) fn range<'a>(
        &'a self,
        from: &[u8],
        to: Option<&[u8]>,
    ) -> impl Iterator<Item = (&'a Bytes, &'a Written)> + use<'a> {
        // BTreeMap panics on a range that ends before it begins; such a range is empty.
        let to = to.map_or(Bound::Unbounded, |to| Bound::Excluded(to.max(from)));
        self.changes.range::<[u8], _>((Bound::Included(from), to))
    }

    /// All changes, leaving the overlay empty.
    pub(crate) fn take(&mut self) -> BTreeMap<Bytes, Written> {
        self.bytes = 0;
        std::mem::take(&mut self.changes)
    }

    /// Bytes of memory held, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}
