//! Changes that lie one behind the other in one piece of memory, and their order by key.

/// Where a change lies: its key, then its value. Kafka's limits keep keys and values far below 4 GiB, and so does what is gathered before it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    start: u32,
    key: u32,
    /// Length of the value; [`DELETION`] for none.
    value: u32,
}

const DELETION: u32 = u32::MAX;

impl Entry {
    /// Puts a change behind all others.
    pub(crate) fn append(bytes: &mut Vec<u8>, key: &[u8], value: Option<&[u8]>) -> Entry {
        let start = length(bytes);
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(value.unwrap_or_default());
        Entry { start, key: length(key), value: value.map_or(DELETION, length) }
    }

    /// Replaces the value where it lies, if its length is the same: whether it was.
    pub(crate) fn overwrite(&self, bytes: &mut [u8], value: Option<&[u8]>) -> bool {
        let is_same = self.value == value.map_or(DELETION, length);
        if is_same {
            let (start, value) = ((self.start + self.key) as usize, value.unwrap_or_default());
            bytes[start..start + value.len()].copy_from_slice(value);
        }
        is_same
    }

    pub(crate) fn key<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.start as usize..(self.start + self.key) as usize]
    }

    /// None for a deletion.
    pub(crate) fn value<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let start = (self.start + self.key) as usize;
        (self.value != DELETION).then(|| &bytes[start..start + self.value as usize])
    }
}

fn length(bytes: &[u8]) -> u32 {
    bytes.len() as u32
}

/// Bytes that sorting takes for each entry.
pub(crate) const SORTING: usize = size_of::<(u64, u32)>();

/// The places of these entries by ascending key, those with one key as they stand.
pub(crate) fn sorted(bytes: &[u8], entries: &[Entry]) -> impl Iterator<Item = u32> + use<> {
    let key = |place: u32| entries[place as usize].key(bytes);
    let common = common_prefix(entries.iter().map(|entry| entry.key(bytes)));
    // Nearly all comparisons end within the eight bytes behind what the keys have in common, and these lie together in the cache.
    let mut order: Vec<(u64, u32)> = (0..entries.len() as u32).map(|place| (leading(&key(place)[common..]), place)).collect();
    order.sort_unstable_by(|(a, left), (b, right)| a.cmp(b).then_with(|| key(*left).cmp(key(*right))).then(left.cmp(right)));
    order.into_iter().map(|(_, place)| place)
}

/// How many bytes all of them begin with.
fn common_prefix<'a>(mut keys: impl Iterator<Item = &'a [u8]>) -> usize {
    let Some(first) = keys.next() else { return 0 };
    keys.fold(first.len(), |common, key| first[..common].iter().zip(key).take_while(|(a, b)| a == b).count())
}

/// The first eight bytes as a number that is ordered as they are; what is missing counts as zeros, so keys of the same number may differ.
fn leading(bytes: &[u8]) -> u64 {
    let mut first = [0; 8];
    let length = bytes.len().min(8);
    first[..length].copy_from_slice(&bytes[..length]);
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_order_is_that_of_keys_and_of_equal_ones_that_of_arrival(
            prefix in prop::collection::vec(any::<u8>(), 0..10),
            keys in prop::collection::vec(prop::collection::vec(prop::sample::select(vec![0u8, 1, 255]), 0..12), 0..50),
        ) {
            let keys: Vec<Vec<u8>> = keys.into_iter().map(|key| [prefix.clone(), key].concat()).collect();
            let mut bytes = Vec::new();
            let entries: Vec<Entry> = keys.iter().map(|key| Entry::append(&mut bytes, key, Some(b"value"))).collect();
            let mut expected: Vec<u32> = (0..keys.len() as u32).collect();
            expected.sort_by_key(|place| &keys[*place as usize]);
            prop_assert_eq!(sorted(&bytes, &entries).collect::<Vec<_>>(), expected);
        }
    }
}
