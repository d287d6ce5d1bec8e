//! How composite keys are laid out in a store, so that ranges are contiguous.
//!
//! - A time-ordered entry (timer, window): `[time, 8 bytes, sign flipped][key]`: the earliest comes first.
//! - An entry of a per-key collection (map, list): `[length of key, 4 bytes big-endian][key][entry key]`: a key's entries are
//!   together and no key is a prefix of another.

use crate::codec::CodecError;
use crate::sort_key::SortKey;
use crate::time::Timestamp;

/// The key of an entry ordered by time.
pub(crate) fn timed(time: Timestamp, key: &[u8], buffer: &mut Vec<u8>) {
    buffer.clear();
    SortKey::encode(&time, buffer);
    buffer.extend_from_slice(key);
}

/// Takes a time-ordered entry's key apart.
pub(crate) fn split_timed(entry: &[u8]) -> Result<(Timestamp, &[u8]), CodecError> {
    let (time, key) = entry
        .split_first_chunk::<8>()
        .ok_or_else(|| CodecError(format!("time-ordered key of {} bytes is too short", entry.len())))?;
    Ok((<Timestamp as SortKey>::decode(time)?, key))
}

/// The time of a time-ordered entry's key; of anything else the earliest there is.
pub(crate) fn time_of(entry: &[u8]) -> Timestamp {
    split_timed(entry).map_or(Timestamp::MIN, |(time, _)| time)
}

/// The prefix shared by all entries of a key's collection.
pub(crate) fn collection(key: &[u8], buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.extend_from_slice(&(key.len() as u32).to_be_bytes());
    buffer.extend_from_slice(key);
}

/// The smallest byte string greater than every one that starts with `prefix`; none if there is no such string.
pub(crate) fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut after = prefix[..=last].to_vec();
    after[last] += 1;
    Some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix() {
        assert_eq!(after_prefix(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(after_prefix(&[1, 255, 255]), Some(vec![2]));
        assert_eq!(after_prefix(&[255]), None);
    }

    #[test]
    fn time_ordered_entries_sort_by_time_first() {
        let entry = |millis, key: &[u8]| {
            let mut buffer = Vec::new();
            timed(Timestamp::from_millis(millis), key, &mut buffer);
            buffer
        };
        assert!(entry(-1, b"z") < entry(0, b"a"));
        assert!(entry(5, b"a") < entry(5, b"b"));
        assert_eq!(split_timed(&entry(7, b"k")).unwrap(), (Timestamp::from_millis(7), &b"k"[..]));
    }
}
