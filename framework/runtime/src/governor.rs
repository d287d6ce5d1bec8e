//! Memory that the process has and nobody uses is lent to the caches in front of the stores, and taken back when others need it.
//!
//! What each part may use is divided beforehand, so that the sum fits when all of them use it. Mostly they do not: nothing is restored, outputs do not pile up. How much
//! is left is what the kernel says the process has.

use std::time::{Duration, Instant};

use crate::RunOptions;
use crate::worker_thread::Shared;

/// Between two looks.
const TICK: Duration = Duration::from_millis(100);
/// Of a hundred bytes of the limit, those up to which more is lent, and those from which it is taken back.
const LENDS: u64 = 82;
const TAKES: u64 = 88;
/// One byte in so many of the limit is lent at a time, once the caches have filled what they were lent before.
const STEP: u64 = 64;
/// One byte in so many of the limit is lent at most. What is lent is divided among all caches, and if only one of them can use its part the others could fill theirs later, all at once.
const MOST: u64 = 2;
/// Of what is lent, one byte in so many is taken back at least, or the caches that do not use their parts would be all that has less.
const BACK: u64 = 8;

pub(crate) struct Governor {
    limit: u64,
    on_top: u64,
    last: Instant,
}

impl Governor {
    /// None where no limit is known.
    pub(crate) fn of(options: &RunOptions) -> Option<Governor> {
        Some(Governor { limit: options.memory_limit?, on_top: 0, last: Instant::now() })
    }

    /// Looks whether it is time to, and tells the workers what they may use.
    pub(crate) fn look(&mut self, shared: &Shared) {
        if self.last.elapsed() < TICK {
            return;
        }
        self.last = Instant::now();
        // What was told last is to have had its effect.
        if shared.are_all_told()
            && let Some(resident) = resident_bytes()
        {
            self.decide(resident, shared.is_memory_wanted());
            shared.lend(usize::try_from(self.on_top).unwrap_or(usize::MAX));
        }
    }

    /// So many bytes are in memory, and the caches could use more or not.
    fn decide(&mut self, resident: u64, is_wanted: bool) {
        let part = |percent: u64| self.limit / 100 * percent;
        let step = self.limit / STEP;
        let (room, excess) = (part(LENDS).saturating_sub(resident), resident.saturating_sub(part(TAKES)));
        if is_wanted {
            self.on_top = (self.on_top + room.min(step)).min(self.limit / MOST);
        }
        if excess > 0 {
            // A little more than that: what is given back takes a moment to be seen.
            self.on_top = self.on_top.saturating_sub((excess + step / 4).max(self.on_top / BACK));
        }
    }
}

/// Bytes of this process that are in memory; none where the system does not tell.
pub fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn what_is_left_is_lent_and_taken_back() {
        let mut governor = Governor { limit: 1000 * MIB, on_top: 0, last: Instant::now() };
        let mut check = |resident: u64, is_wanted: bool, expected: u64| {
            governor.decide(resident * MIB, is_wanted);
            assert_eq!(governor.on_top / MIB, expected, "with {resident} MiB");
        };
        check(500, false, 0);
        check(500, true, 15);
        check(500, true, 31);
        check(810, true, 41);
        check(820, true, 41);
        check(880, true, 41);
        check(890, true, 27);
        check(950, false, 0);
        check(950, false, 0);
        check(700, true, 15);
        (0..100).for_each(|_| governor.decide(500 * MIB, true));
        assert_eq!(governor.on_top, 500 * MIB, "half of the limit at most");
        governor.decide(881 * MIB, true);
        assert_eq!(governor.on_top, 437 * MIB + MIB / 2, "an eighth at least");
    }

    #[test]
    fn the_system_tells() {
        assert!(!cfg!(target_os = "linux") || resident_bytes().is_some_and(|bytes| bytes > MIB));
    }
}
