//! What all parts of one run share: the dice, the clock, what is counted, and the word on what happens to a call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use headwater_core::handover::Step;
use headwater_core::port::GroupMetadata;
use headwater_core::{Timestamp, TopicPartition};

use crate::checks::{History, Ledger, Turns};
use crate::dice::Dice;
use crate::fault::{Call, Fault};
use crate::mark::Mark;
use crate::mutation::Mutation;
use crate::seed::Limits;
use crate::trace::Line;

/// What was counted in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Port calls and actions.
    pub events: u64,
    /// By [`Fault`].
    pub faults: Vec<u64>,
    /// By [`Mark`].
    pub marks: Vec<u64>,
}

impl Default for Tally {
    fn default() -> Tally {
        Tally { events: 0, faults: vec![0; Fault::ALL.len()], marks: vec![0; Mark::ALL.len()] }
    }
}

/// Something that must not happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Its name: `stall`, `output`, `two owners`...
    pub kind: &'static str,
    pub text: String,
}

/// How a process came to its end, or is about to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    Crash,
    /// The engine is told; it must end the process.
    Disk,
}

#[derive(Default)]
pub struct ProcessState {
    pub dead: Option<Death>,
    /// Grows with every start.
    pub life: u64,
    /// Its desk says that its generation is over, or was given up: it is to stop.
    pub ended: bool,
    /// Dies at its next commit.
    pub falls: bool,
    /// Open transactions.
    pub open: usize,
    /// What it gave up at some time.
    pub given_up: BTreeSet<TopicPartition>,
    /// Its member's id in the group.
    pub member: Option<String>,
    /// The membership it had last, for a mutation.
    pub membership: Option<GroupMetadata>,
}

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Go,
    /// The process is dead: nothing has an effect any more.
    Dead,
    Meets(Fault),
    /// Others act first.
    DelayedBefore,
    /// Others act before the reply.
    DelayedAfter,
    /// Others act first, and the group puts the process out.
    StalledBefore,
    /// The same before the reply.
    StalledAfter,
}

pub struct Control {
    pub dice: Dice,
    pub now: Duration,
    /// Nothing happens to calls any more.
    pub calm: bool,
    /// Faults at calls, in 100,000.
    pub rate: u64,
    pub limits: Limits,
    pub mutation: Option<Mutation>,
    pub tally: Tally,
    pub trace: Option<Vec<String>>,
    pub violation: Option<Violation>,
    pub processes: Vec<ProcessState>,
    /// Partitions that give nothing until then.
    pub unavailable: BTreeMap<TopicPartition, Duration>,
    /// No broker answers until then.
    pub outage: Duration,
    /// Grows whenever anybody gets anywhere.
    pub progress: u64,
    /// Commits that took effect.
    pub commits: u64,
    /// By generation.
    pub ledgers: [Ledger; 2],
    /// Whose turn it is to speak, where the application is handed over.
    pub turns: Option<Turns>,
    /// The attempt at a hand-over under way and how far it has got, as was noted last; and how many there were.
    pub step: Option<(Timestamp, Step)>,
    pub attempts: u64,
    pub history: History,
    /// Transactional ids with a transaction open.
    pub open_ids: BTreeSet<String>,
    /// Who wrote a changelog last.
    pub writers: BTreeMap<TopicPartition, usize>,
    /// Topics that were compacted or trimmed, so that gaps and lost offsets are to be expected.
    pub changed: BTreeSet<String>,
    /// The ends of changelogs and the committed positions as each process was told last.
    pub told: BTreeMap<(usize, TopicPartition), i64>,
    pub idle_lanes: BTreeSet<(TopicPartition, i32)>,
    /// Lanes of repartition topics whose end was told and committed.
    pub ended_lanes: BTreeSet<(TopicPartition, i32)>,
    /// Inputs of a bounded run that retention has overtaken.
    pub overtaken: BTreeSet<TopicPartition>,
    /// Whether records of a bounded run's input were deleted, be it only those that it was done with.
    pub trimmed: bool,
    /// Whether a process has died.
    pub killed: bool,
    /// Whether a bounded run was seen complete.
    pub complete: bool,
}

/// The control of a run, as everything that lives in it has it.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<Control>>);

impl Shared {
    pub fn new(control: Control) -> Shared {
        Shared(Arc::new(Mutex::new(control)))
    }

    pub fn lock(&self) -> MutexGuard<'_, Control> {
        // One thread only: whoever panicked under it has ended the run.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Control {
    pub fn new(dice: Dice, limits: Limits, mutation: Option<Mutation>, trace: bool) -> Control {
        Control {
            dice,
            now: Duration::ZERO,
            calm: false,
            rate: 0,
            limits,
            mutation,
            tally: Tally::default(),
            trace: trace.then(Vec::new),
            violation: None,
            processes: Vec::new(),
            unavailable: BTreeMap::new(),
            outage: Duration::ZERO,
            progress: 0,
            commits: 0,
            ledgers: [Ledger::default(), Ledger::default()],
            turns: None,
            step: None,
            attempts: 0,
            history: History::default(),
            open_ids: BTreeSet::new(),
            writers: BTreeMap::new(),
            changed: BTreeSet::new(),
            told: BTreeMap::new(),
            idle_lanes: BTreeSet::new(),
            ended_lanes: BTreeSet::new(),
            overtaken: BTreeSet::new(),
            trimmed: false,
            killed: false,
            complete: false,
        }
    }

    pub fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    pub fn mark(&mut self, mark: Mark) {
        self.tally.marks[mark as usize] += 1;
    }

    pub fn mark_if(&mut self, reached: bool, mark: Mark) {
        if reached {
            self.mark(mark);
        }
    }

    /// Whether a fault may happen now; counts it if so.
    pub fn allows(&mut self, fault: Fault) -> bool {
        let so_far: u64 = self.tally.faults.iter().sum();
        let allowed = !self.calm && !self.limits.without.contains(&fault) && so_far < self.limits.faults;
        if allowed {
            self.tally.faults[fault as usize] += 1;
        }
        allowed
    }

    /// The first violation ends the run.
    pub fn violate(&mut self, kind: &'static str, text: String) {
        if self.violation.is_none() {
            self.line(|| (None, None, "VIOLATION", String::new(), None, format!("{kind}: {text}")));
            self.violation = Some(Violation { kind, text });
        }
    }

    /// Whether this life of a process is over.
    pub fn is_gone(&self, (process, life): (usize, u64)) -> bool {
        let process = &self.processes[process];
        process.dead.is_some() || process.life != life
    }

    /// What happens to a call of a process in this life of it.
    pub fn fate(&mut self, (process, life): (usize, u64), call: Call) -> Fate {
        self.tally.events += 1;
        if self.is_gone((process, life)) || self.violation.is_some() {
            return Fate::Dead;
        }
        if call.is_remote() && self.now < self.outage {
            self.mark_if(call == Call::ProducerCommit, Mark::OutageCommit);
            return Fate::Meets(Fault::Outage);
        }
        if call == Call::ProducerCommit && self.processes[process].falls {
            return Fate::Meets(Fault::CrashBefore);
        }
        let (times, of) = call.weight();
        if self.calm || self.rate == 0 || !self.dice.chance(self.rate * times / of) {
            return Fate::Go;
        }
        let fault = self.dice.weighted(call.faults());
        let before = self.dice.percent(50);
        match fault {
            fault if !self.allows(fault) => Fate::Go,
            Fault::Delayed if before => Fate::DelayedBefore,
            Fault::Delayed => Fate::DelayedAfter,
            Fault::Stalled if before => Fate::StalledBefore,
            Fault::Stalled => Fate::StalledAfter,
            fault => Fate::Meets(fault),
        }
    }

    /// Adds a line to the trace: process, worker, event, place, offset, detail.
    pub fn line(&mut self, what: impl FnOnce() -> (Option<usize>, Option<usize>, &'static str, String, Option<i64>, String)) {
        if let Some(lines) = &mut self.trace {
            let (process, worker, event, place, offset, detail) = what();
            lines.push(Line { at: self.now, process, worker, event, place, offset, detail }.to_string());
        }
    }
}
