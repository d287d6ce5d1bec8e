//! The input of a seed.

use crate::random::Random;
use crate::transfer::Transfer;

/// 2024-01-01T00:00:00Z.
const START: i64 = 1_704_067_200_000;
/// Event time from one transfer to the next: a minute of a branch is open for 4,750 of them.
const STEP_MS: i64 = 20;
const BRANCHES: u64 = 20;
/// Most transfers are at most this much out of order, within what the topology allows.
const JITTER_MS: u64 = 4_000;
/// One in this many is much older: some of those are too late for their minute, some just not.
const STRAGGLERS: u64 = 128;
const STRAGGLER_MS: (u64, u64) = (30_000, 150_000);

/// Transfers without end: the same for the same seed and number of accounts, event time moving on.
#[derive(Clone, Debug)]
pub struct Transfers {
    random: Random,
    accounts: u64,
    next: u64,
}

impl Transfers {
    /// The transfers of a seed, over this many accounts (at least one).
    pub fn new(seed: u64, accounts: u64) -> Transfers {
        Transfers { random: Random::new(seed), accounts: accounts.max(1), next: 0 }
    }
}

impl Iterator for Transfers {
    type Item = Transfer;

    fn next(&mut self) -> Option<Transfer> {
        let id = self.next;
        self.next += 1;
        let number = self.random.below(self.accounts);
        let account = format!("{:02}-{number:07}", number % BRANCHES);
        let amount = self.random.between(0, 1500) as i64 - 500;
        let behind = match self.random.one_in(STRAGGLERS) {
            true => self.random.between(STRAGGLER_MS.0, STRAGGLER_MS.1),
            false => self.random.below(JITTER_MS),
        };
        Some(Transfer { id, account, amount, at: START + id as i64 * STEP_MS - behind as i64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{OUT_OF_ORDER, WINDOWS};
    use headwater::Timestamp;

    #[test]
    fn a_seed_says_it_all() {
        let some = |seed| Transfers::new(seed, 100).take(50).collect::<Vec<_>>();
        assert_eq!(some(1), some(1));
        assert_ne!(some(1), some(2));
    }

    #[test]
    fn some_are_too_late_for_their_minute_and_few() {
        let mut newest = Timestamp::MIN;
        let late = Transfers::new(1, 100).take(20_000).filter(|transfer| {
            let at = Timestamp::from_millis(transfer.at);
            newest = newest.max(at);
            newest - OUT_OF_ORDER >= WINDOWS.closes_at(WINDOWS.window_of(at))
        });
        let late = late.count();
        assert!((20..200).contains(&late), "{late} of 20000 are late");
    }
}
