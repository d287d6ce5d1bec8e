use bytes::Bytes;

use super::layout;
use crate::time::Timestamp;

/// Where the entries of a time-ordered store begin, as far as that is known. To the key, not only to its time: many entries may have the same
/// time, and those that are gone must not be gone through again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    /// No entry's key comes before this one.
    From(Bytes),
    /// There are no entries.
    Nowhere,
}

impl Mark {
    /// Nothing is known.
    pub(crate) const UNKNOWN: Mark = Mark::From(Bytes::new());

    /// No entry has an earlier time than this.
    pub(crate) fn time(&self) -> Timestamp {
        match self {
            Mark::From(key) => layout::time_of(key),
            Mark::Nowhere => Timestamp::MAX,
        }
    }

    /// Where to look for entries; none if there are none.
    pub(crate) fn key(&self) -> Option<&Bytes> {
        match self {
            Mark::From(key) => Some(key),
            Mark::Nowhere => None,
        }
    }

    /// An entry was written.
    pub(super) fn admit(&mut self, key: &[u8]) {
        if self.key().is_none_or(|first| key < first) {
            *self = Mark::From(Bytes::copy_from_slice(key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_comes_first_moves_it() {
        let mut mark = Mark::Nowhere;
        assert_eq!((mark.time(), Mark::UNKNOWN.time()), (Timestamp::MAX, Timestamp::MIN));
        let mut entry = Vec::new();
        for (millis, key, expected) in [(7, b"b", b"b"), (7, b"c", b"b"), (8, b"a", b"b"), (7, b"a", b"a")] {
            layout::timed(Timestamp::from_millis(millis), key, &mut entry);
            mark.admit(&entry);
            assert_eq!(mark.time(), Timestamp::from_millis(7));
            assert_eq!(&mark.key().unwrap()[8..], expected);
        }
        assert!(Mark::UNKNOWN < mark && mark < Mark::Nowhere);
    }
}
