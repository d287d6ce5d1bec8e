//! Whether it pays to keep values here. Where few of the keys asked for are met again before they have to go, each costs a place, and the memory would hold
//! as many of them in the store's own blocks.
//!
//! It is judged while the cache is full, by how many of the keys asked for are here; what is only written says nothing for long. Where it does not pay, a sample of the keys goes on being kept in as small a
//! part of the memory, and what would be met of all is what is met of those: spatial sampling, as in SHARDS (Waldspurger et al., FAST 2015).

/// One key in so many belongs to the sample, a power of two.
const SAMPLE: usize = if cfg!(test) { 4 } else { 64 };
/// Keys asked for that are judged together, at least. Few in tests, so that little is enough for a judgement.
const ROUND: usize = if cfg!(test) { 16 } else { 16 << 10 };
/// The same, for one of so many entries.
const PER_ENTRY: usize = 4;
/// Of a hundred of them, those met with which it still pays, and those with which it does again (docs/decisions/cache.md).
const STAYS: usize = 30;
const RETURNS: usize = 40;
/// How often everything here is replaced before it counts that nothing is asked for: a table is read whole before anybody asks.
const UNASKED: usize = 2;

#[derive(Debug, Default)]
pub(super) struct Worth {
    is_sampling: bool,
    met: usize,
    asked: usize,
    /// Entries that came since a key was asked for last.
    unasked: usize,
}

impl Worth {
    /// Whether a key is to be kept, by its hash.
    pub(super) fn takes(&self, hash: u32) -> bool {
        // The highest bits, on which it depends least where in the table a key is.
        !self.is_sampling || ((hash >> 26) as usize).is_multiple_of(SAMPLE)
    }

    /// Whether only the sample is kept.
    pub(super) fn is_sampling(&self) -> bool {
        self.is_sampling
    }

    /// Of so many bytes, those that are used.
    pub(super) fn part_of(&self, bytes: usize) -> usize {
        if self.is_sampling { bytes / SAMPLE } else { bytes }
    }

    /// A key that is [taken](Worth::takes) was asked for, and met or not, while there are so many entries. Whether that makes it clear that from now on only a sample is to be kept, or everything again.
    pub(super) fn asked(&mut self, is_met: bool, entries: usize) -> bool {
        self.met += usize::from(is_met);
        self.asked += 1;
        self.unasked = 0;
        if self.asked < ROUND.max(entries / PER_ENTRY) {
            return false;
        }
        let least = if self.is_sampling { RETURNS } else { STAYS };
        let pays = self.met * 100 >= least * self.asked;
        let turns = pays == self.is_sampling;
        *self = Worth { is_sampling: !pays, ..Worth::default() };
        turns
    }

    /// An entry came, while there are so many. Whether nothing is asked for at all, as where only ranges are read, so that from now on only a sample is to be kept.
    pub(super) fn written(&mut self, entries: usize) -> bool {
        self.unasked += 1;
        let turns = !self.is_sampling && self.unasked >= UNASKED * ROUND.max(entries);
        if turns {
            *self = Worth { is_sampling: true, ..Worth::default() };
        }
        turns
    }

    /// What was counted does not say anything any more.
    pub(super) fn forget(&mut self) {
        (self.met, self.asked, self.unasked) = (0, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A round in which so many of a hundred keys are met. Answers whether it turned.
    fn round(worth: &mut Worth, met: usize) -> bool {
        (0..ROUND).any(|key| worth.asked(key * 100 < met * ROUND, 0))
    }

    #[test]
    fn it_turns_to_a_sample_below_the_one_and_back_above_the_other() {
        let mut worth = Worth::default();
        assert!(!round(&mut worth, 100) && !round(&mut worth, 35));
        assert!(round(&mut worth, 20) && worth.is_sampling());
        assert!(!round(&mut worth, 35), "what is between the two leaves it as it is");
        let taken = (0..1 << 10).filter(|hash| worth.takes(hash << 22)).count();
        assert_eq!((taken, worth.part_of(1 << 10)), ((1 << 10) / SAMPLE, (1 << 10) / SAMPLE));
        assert!(round(&mut worth, 50) && !worth.is_sampling());
        assert!(worth.takes(u32::MAX) && worth.part_of(7) == 7);
    }

    #[test]
    fn what_is_never_asked_for_is_not_kept() {
        let mut worth = Worth::default();
        assert!((1..UNASKED * ROUND).all(|_| !worth.written(0)));
        assert!(!worth.asked(true, 0));
        assert!((1..UNASKED * ROUND).all(|_| !worth.written(0)));
        assert!(worth.written(0) && worth.is_sampling());
        assert!(!worth.written(0), "it does so already");
    }

    #[test]
    fn the_more_entries_there_are_the_longer_is_a_round() {
        let mut worth = Worth::default();
        let entries = 3 * ROUND * PER_ENTRY;
        assert!((1..3 * ROUND).all(|_| !worth.asked(false, entries)));
        assert!(worth.asked(false, entries));
    }
}
