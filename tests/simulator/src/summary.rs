use std::fmt;
use std::time::Duration;

use crate::control::Tally;
use crate::fault::Fault;
use crate::mark::Mark;
use crate::seed::{Failure, Outcome};

/// What a run of many seeds came to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Seeds run.
    pub seeds: u64,
    pub(crate) tally: Tally,
    /// Seeds that failed, in order.
    pub failures: Vec<(u64, Failure)>,
    /// How long it took.
    pub wall: Duration,
}

impl Summary {
    pub(crate) fn add(&mut self, outcome: Outcome) {
        self.seeds += 1;
        self.tally.events += outcome.tally.events;
        let both = [(&mut self.tally.faults, &outcome.tally.faults), (&mut self.tally.marks, &outcome.tally.marks)];
        for (all, one) in both {
            all.iter_mut().zip(one).for_each(|(all, one)| *all += one);
        }
        self.failures.extend(outcome.failure.map(|failure| (outcome.seed, failure)));
    }

    /// Marks that no seed reached.
    pub fn unreached(&self) -> Vec<Mark> {
        Mark::ALL.iter().copied().filter(|mark| self.tally.marks[*mark as usize] == 0).collect()
    }

    /// Faults that never happened.
    pub fn unseen(&self) -> Vec<Fault> {
        Fault::ALL.iter().copied().filter(|fault| self.tally.faults[*fault as usize] == 0).collect()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "coverage marks:")?;
        for mark in Mark::ALL {
            writeln!(f, "  {:<46} {:>9}", mark.name(), self.tally.marks[*mark as usize])?;
        }
        writeln!(f, "faults:")?;
        for fault in Fault::ALL {
            writeln!(f, "  {:<46} {:>9}", fault.name(), self.tally.faults[*fault as usize])?;
        }
        let faults: u64 = self.tally.faults.iter().sum();
        let (seeds, events, failures) = (self.seeds, self.tally.events, self.failures.len());
        write!(f, "{seeds} seeds, {events} events, {faults} faults, {failures} failures, {:.1} s", self.wall.as_secs_f64())
    }
}
