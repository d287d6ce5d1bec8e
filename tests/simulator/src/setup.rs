use std::fmt;
use std::time::Duration;

use headwater_testkit::Timeouts;

use crate::bounded::Terms;
use crate::cases::{self, Case};
use crate::dice::Dice;
use crate::handover;

/// What a seed decides before anything happens.
#[derive(Clone, Copy)]
pub struct Setup {
    pub case: &'static dyn Case,
    pub partitions: i32,
    pub processes: usize,
    /// Whether processes are static members of the group.
    pub statics: bool,
    /// Most records in one poll.
    pub fetch: usize,
    /// Writes to a disk between two flushes.
    pub flush_every: usize,
    /// `EngineOptions::buffer_bytes`.
    pub buffer_bytes: usize,
    /// `EngineOptions::dirty_bytes`.
    pub dirty_bytes: usize,
    pub marker_interval: Duration,
    pub timeouts: Timeouts,
    /// Whether inputs are given up as idle, so that results that hang on event time are not promised.
    pub idles: bool,
    /// Faults at calls, in 100,000.
    pub rate: u64,
    /// Things that happen before it is left alone.
    pub acts: u64,
    /// What is special about a bounded run; none in a live one.
    pub bounded: Option<Terms>,
    /// What is special about a run in which the application is handed over; none in another.
    pub handover: Option<handover::Terms>,
}

impl Setup {
    pub fn draw(dice: &mut Dice) -> Setup {
        Setup {
            case: dice.weighted(cases::ALL),
            partitions: dice.weighted(&[(3, 1), (3, 2), (3, 3), (1, 4)]),
            processes: dice.weighted(&[(1, 1), (4, 2), (5, 3)]),
            statics: dice.percent(25),
            fetch: dice.weighted(&[(2, 1), (2, 3), (2, 17), (4, 4096)]),
            flush_every: dice.between(1, 6) as usize,
            buffer_bytes: dice.weighted(&[(8, 16 << 20), (2, 600)]),
            dirty_bytes: dice.weighted(&[(8, 32 << 20), (2, 400)]),
            marker_interval: Duration::from_millis(dice.weighted(&[(4, 0), (1, 200), (1, 1000)])),
            timeouts: Timeouts {
                session: Duration::from_secs(dice.pick(&[6, 45])),
                transaction: Duration::from_secs(dice.pick(&[10, 60])),
            },
            idles: dice.percent(8),
            rate: dice.weighted(&[(1, 0), (2, 500), (3, 1500), (3, 4000), (2, 9000)]),
            acts: dice.between(20, 300) as u64,
            bounded: None,
            handover: None,
        }
    }

    /// Makes every third seed a bounded run, in which polls bring little, so that much can happen before its end, and every sixth one a hand-over.
    pub fn of_seed(seed: u64, dice: &mut Dice) -> Setup {
        let setup = Setup::draw(dice);
        if seed % 6 == 1 {
            let acts = dice.between(100, 400) as u64;
            return Setup { acts, handover: Some(handover::Terms::draw(dice)), ..setup };
        }
        if seed % 3 != 2 {
            return setup;
        }
        let fetch = dice.weighted(&[(3, 1), (3, 2), (2, 6), (1, 40)]);
        Setup { fetch, bounded: Some(Terms::draw(dice)), ..setup }
    }

    /// After this long an input no longer holds event time back: in most seeds never.
    pub fn idle_timeout(&self) -> Duration {
        if self.idles { Duration::from_millis(300) } else { Duration::from_secs(1 << 30) }
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (case, statics) = (self.case.name(), if self.statics { ", static members" } else { "" });
        let idles = if self.idles { ", idle inputs" } else { "" };
        write!(f, "case {case}, {} partitions, {} processes{statics}{idles}, ", self.partitions, self.processes)?;
        write!(f, "sessions {:?}, transactions {:?}, ", self.timeouts.session, self.timeouts.transaction)?;
        write!(f, "polls of {}, flush every {}, buffers {}, ", self.fetch, self.flush_every, self.buffer_bytes)?;
        write!(
            f,
            "dirty {}, markers {:?}, rate {}/100000, {} acts",
            self.dirty_bytes, self.marker_interval, self.rate, self.acts
        )?;
        self.handover.map_or(Ok(()), |terms| write!(f, "; {terms}"))?;
        self.bounded.map_or(Ok(()), |terms| write!(f, "; {terms}"))
    }
}
