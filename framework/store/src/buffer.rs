use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::entry::{self, Entry};

/// The newest change of each key that was written, found by hash. Keys and values lie in one piece of memory, so that an entry costs little more than
/// its bytes; a value whose length changes leaves a gap there.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    places: HashTable<u32>,
    hasher: RandomState,
}

impl Buffer {
    /// Takes a change, in place of an earlier one of the same key.
    pub(crate) fn put(&mut self, key: &[u8], value: Option<&[u8]>) {
        let hash = self.hasher.hash_one(key);
        let (bytes, entries) = (&self.bytes, &self.entries);
        let place = self.places.find(hash, |place| entries[*place as usize].key(bytes) == key).copied();
        if let Some(entry) = place.map(|place| &mut self.entries[place as usize]) {
            if !entry.overwrite(&mut self.bytes, value) {
                *entry = Entry::append(&mut self.bytes, key, value);
            }
            return;
        }
        self.entries.push(Entry::append(&mut self.bytes, key, value));
        let (bytes, entries, hasher) = (&self.bytes, &self.entries, &self.hasher);
        let place = (entries.len() - 1) as u32;
        self.places.insert_unique(hash, place, |place| hasher.hash_one(entries[*place as usize].key(bytes)));
    }

    /// The change of `key`, if there is one: its value, or none for a deletion.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        if self.entries.is_empty() {
            return None;
        }
        let hash = self.hasher.hash_one(key);
        let place = self.places.find(hash, |place| self.entries[*place as usize].key(&self.bytes) == key)?;
        Some(self.entries[*place as usize].value(&self.bytes))
    }

    /// A change by its place.
    pub(crate) fn at(&self, place: u32) -> (&[u8], Option<&[u8]>) {
        let entry = &self.entries[place as usize];
        (entry.key(&self.bytes), entry.value(&self.bytes))
    }

    /// The places of all changes, by ascending key.
    pub(crate) fn sorted(&self) -> impl Iterator<Item = u32> + use<> {
        entry::sorted(&self.bytes, &self.entries)
    }

    /// Bytes of memory in use, roughly.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len() + self.entries.len() * (size_of::<Entry>() + 2 * size_of::<u32>())
    }

    /// Keys that were changed.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Forgets the changes and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
        self.places.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn is_a_map_of_the_newest_changes(writes in prop::collection::vec((0u8..20, prop::option::of(0u8..4), any::<u8>()), 0..100)) {
            let (mut buffer, mut model) = (Buffer::default(), BTreeMap::new());
            for (key, length, fill) in writes {
                let value = length.map(|length| vec![fill; usize::from(length)]);
                buffer.put(&[key], value.as_deref());
                model.insert(vec![key], value);
            }
            for key in 0..20 {
                let found = buffer.get(&[key]).map(|value| value.map(<[u8]>::to_vec));
                prop_assert_eq!(found.as_ref(), model.get(&vec![key]));
            }
            let all: Vec<_> = buffer.sorted().map(|place| buffer.at(place)).collect();
            let expected: Vec<_> = model.iter().map(|(key, value)| (key.as_slice(), value.as_deref())).collect();
            prop_assert_eq!(all, expected);
            buffer.clear();
            prop_assert!(buffer.size() == 0 && buffer.len() == 0 && buffer.get(&[0]).is_none());
        }
    }
}
