//! What a store has for the keys of the records that come next, looked up together before their turns: the processor waits for memory once for all of them, not
//! once for each (docs/decisions/look-ahead.md).
//!
//! It is a guess by the records' keys and may be wrong in any way: a value is used only if the key asked for is the same, and everything is forgotten when the
//! stores change.

use std::cell::Cell;

use bytes::Bytes;

/// Looks that are left out after one that was of no use.
const REST: usize = 64;
/// It is worth it where the store itself has to answer for one record in so many.
const WORTH: usize = 4;
/// Bytes of values, all together.
const MOST_BYTES: usize = 1 << 20;
/// Bytes of a value, on average. With larger ones it is not the looking that costs.
const LARGE: usize = 4 << 10;

#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// The keys, one behind the other.
    keys: Vec<u8>,
    entries: Vec<Entry>,
    /// Bytes of the values.
    bytes: usize,
    /// The entry of the record whose turn it is, or the first one after it.
    next: usize,
    /// What came of the last look.
    since: Since,
    /// Looks to be left out.
    resting: usize,
}

/// What has been since a look, whatever was forgotten of it.
#[derive(Debug, Default)]
struct Since {
    /// Keys that were looked up.
    looked: usize,
    /// Whether that came to too many bytes.
    was_full: bool,
    /// Records whose turns have come.
    records: usize,
    /// Whether the last of them has not read anything yet.
    is_first_read: Cell<bool>,
    /// Those for which it was of use.
    used: Cell<usize>,
    /// Those for which the store was asked.
    missed: Cell<usize>,
}

impl Since {
    /// A record's first read counts. Others read, too, for whose keys nobody looks.
    fn count(&self, reads: &Cell<usize>) {
        if self.is_first_read.take() {
            reads.set(reads.get() + 1);
        }
    }
}

#[derive(Debug)]
struct Entry {
    offset: i64,
    /// Where its key begins and ends.
    start: usize,
    end: usize,
    value: Option<Bytes>,
}

impl Ahead {
    /// Whether to look now, for records from the offset `from` on: what was looked up is used up, and it was, or would have been, of use.
    pub(super) fn is_due(&mut self, from: i64) -> bool {
        if self.entries.last().is_some_and(|last| last.offset >= from) {
            return false;
        }
        let Since { looked, was_full, records, used, missed, .. } = std::mem::take(&mut self.since);
        let (used, missed) = (used.get(), missed.get());
        if used * 2 < looked || was_full {
            self.resting = REST;
        }
        self.forget();
        if self.resting > 0 {
            self.resting -= 1;
            return false;
        }
        (used + missed) * WORTH > records
    }

    /// Takes down what the store has for a record's key. Records come in the order of their offsets.
    pub(super) fn add(&mut self, offset: i64, key: &[u8], value: Option<Bytes>) {
        let start = self.keys.len();
        self.keys.extend_from_slice(key);
        self.bytes += value.as_ref().map_or(0, Bytes::len);
        self.entries.push(Entry { offset, start, end: self.keys.len(), value });
        self.since.looked += 1;
        self.since.was_full |= self.is_full();
    }

    /// Whether there is as much here as there should be.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= MOST_BYTES || self.bytes > LARGE * self.entries.len()
    }

    /// It is the turn of the record at this offset.
    pub(super) fn turn_to(&mut self, offset: i64) {
        self.since.records += 1;
        self.since.is_first_read.set(true);
        while let Some(entry) = self.entries.get_mut(self.next).filter(|entry| entry.offset < offset) {
            // There may be hundreds of stores, and each has its last look.
            entry.value = None;
            self.next += 1;
        }
    }

    /// What the store has for `key`, if that is the key of the record whose turn it is and was looked up.
    pub(super) fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        let entry = self.entries.get(self.next).filter(|entry| self.keys[entry.start..entry.end] == *key)?;
        self.since.count(&self.since.used);
        Some(entry.value.as_deref())
    }

    /// The store was asked for something that is not here.
    pub(super) fn missed(&self) {
        self.since.count(&self.since.missed);
    }

    /// The store changes: what was looked up does not count any more.
    pub(super) fn forget(&mut self) {
        self.keys.clear();
        self.entries.clear();
        (self.bytes, self.next) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks if it is time to, for records of which each has its own key, and has their turns come; each asks for its key, or for another one. Answers whether it was time.
    fn round(ahead: &mut Ahead, offsets: std::ops::Range<i64>, asks: impl Fn(i64) -> Option<i64>) -> bool {
        let is_due = ahead.is_due(offsets.start);
        for offset in offsets.clone().filter(|_| is_due) {
            ahead.add(offset, &offset.to_be_bytes(), (offset % 2 == 0).then(|| Bytes::from(offset.to_string())));
        }
        for offset in offsets {
            ahead.turn_to(offset);
            let Some(asked) = asks(offset) else { continue };
            match ahead.get(&asked.to_be_bytes()) {
                Some(value) => {
                    let expected = (asked % 2 == 0).then(|| asked.to_string());
                    assert_eq!(value, expected.as_deref().map(str::as_bytes));
                }
                None => ahead.missed(),
            }
        }
        is_due
    }

    #[test]
    fn it_is_worth_it_where_the_store_has_to_answer() {
        let mut ahead = Ahead::default();
        assert!(!round(&mut ahead, 0..10, Some), "nothing was asked for yet");
        assert!(round(&mut ahead, 10..20, Some));
        assert_eq!(ahead.since.used.get(), 10);
        assert!(round(&mut ahead, 20..30, Some), "it goes on being of use");
        assert!(round(&mut ahead, 30..40, |_| None));
        assert!(!round(&mut ahead, 40..50, |offset| (offset == 40).then_some(offset)), "what was looked up was not asked for");
        let rounds = (5..5 + REST as i64).filter(|n| round(&mut ahead, n * 10..n * 10 + 10, Some)).count();
        assert_eq!(rounds, 1, "one in {REST} while it is resting, then it is tried again");
    }

    #[test]
    fn one_read_in_many_is_not_worth_it() {
        let mut ahead = Ahead::default();
        round(&mut ahead, 0..12, |offset| (offset % 4 == 0).then_some(offset));
        assert!(!round(&mut ahead, 12..24, |offset| (offset % 3 == 0).then_some(offset)));
        assert!(round(&mut ahead, 24..36, |_| None));
    }

    #[test]
    fn a_value_is_that_of_the_record_whose_turn_it_is_until_the_store_changes() {
        let mut ahead = Ahead::default();
        for (offset, key) in [(3, b"a"), (5, b"b"), (9, b"a")] {
            ahead.add(offset, key, Some(Bytes::from(offset.to_string())));
        }
        ahead.turn_to(5);
        assert_eq!((ahead.get(b"b"), ahead.get(b"a"), ahead.get(b"")), (Some(Some(&b"5"[..])), None, None));
        // One that was not looked up.
        ahead.turn_to(7);
        assert_eq!(ahead.get(b"b"), None);
        ahead.turn_to(9);
        assert_eq!(ahead.get(b"a"), Some(Some(&b"9"[..])));
        assert!(!ahead.is_due(9), "it is not used up");
        ahead.forget();
        assert_eq!(ahead.get(b"a"), None);
    }

    #[test]
    fn what_was_of_no_use_is_known_also_when_the_store_has_changed() {
        let mut ahead = Ahead::default();
        round(&mut ahead, 0..10, Some);
        assert!(round(&mut ahead, 10..20, |offset| (offset < 14).then_some(offset)));
        ahead.forget();
        assert!(!ahead.is_due(20));
    }

    #[test]
    fn only_the_first_read_of_a_record_counts() {
        let mut ahead = Ahead::default();
        (0..5).for_each(|_| ahead.missed());
        assert!(!ahead.is_due(0), "those of others do not");
        round(&mut ahead, 0..10, Some);
        assert!(ahead.is_due(10));
        (10..20).for_each(|offset| ahead.add(offset, b"k", None));
        for offset in 10..14 {
            ahead.turn_to(offset);
            assert!((0..3).all(|_| ahead.get(b"k").is_some()));
        }
        assert!(!ahead.is_due(20), "four of ten");
    }

    #[test]
    fn large_values_are_left_to_those_who_ask_for_them() {
        for (values, bytes) in [(1, LARGE + 1), (MOST_BYTES / LARGE, LARGE)] {
            let mut ahead = Ahead::default();
            round(&mut ahead, 0..4, Some);
            assert!(ahead.is_due(4));
            for offset in 4..4 + values as i64 {
                assert!(!ahead.is_full());
                ahead.add(offset, b"k", Some(Bytes::from(vec![0; bytes])));
                ahead.turn_to(offset);
                assert!(ahead.get(b"k").is_some());
            }
            assert!(ahead.is_full());
            assert!(!ahead.is_due(4 + values as i64) && !ahead.is_full());
        }
    }
}
