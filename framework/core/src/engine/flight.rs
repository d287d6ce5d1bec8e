//! Committing without standing still. Without transactions nothing forbids to process on while a commit is under way: its
//! positions are taken down, and the changes it has taken along wait between what is written meanwhile and the stores.
//!
//! The order is that of every commit: first everything is sent and acknowledged, then the positions are committed, then the stores follow. One commit
//! is under way at a time, so what changelogs took since its beginning is what it sent.

use std::collections::VecDeque;
use std::time::Duration;

use super::commit::{Positions, gone};
use super::error::EngineError;
use super::report::CommitReport;
use super::worker::{Stage, Worker};
use crate::blueprint::TaskId;
use crate::port::{GroupMetadata, LogError, StoreError};
use crate::record::TopicPartition;

/// One slice of a wait for the answer about positions.
const SLICE: Duration = Duration::from_secs(1);
/// Changes that are sent or applied in a round at least: half a millisecond of work, for which records that come meanwhile wait.
const LEAST_CHANGES: usize = 128;
/// At least this part of a commit's changes is, one in so many: a commit takes so many rounds for either, however many records are processed meanwhile.
const PART: usize = 32;

/// How far a commit has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leg {
    /// Changes are still to be sent.
    Launched,
    /// What it covers is not known to be acknowledged.
    Sent,
    /// It is, and the positions are on their way.
    Asked,
    /// They are committed: the stores follow.
    Landing,
}

/// A commit under way.
pub(super) struct Flight {
    leg: Leg,
    positions: Positions,
    /// Records it covers.
    steps: usize,
    /// The tasks whose changes are not sent yet.
    unsent: VecDeque<TaskId>,
    /// How many of the first one's are.
    sent: usize,
    /// All changes that it has taken along.
    changes: usize,
    /// The tasks whose stores have not followed yet.
    tasks: VecDeque<TaskId>,
    /// What changelogs took: the offset after the last record of each.
    delivered: Vec<(TopicPartition, i64)>,
    report: CommitReport,
    /// Those whose stores turned out to be damaged.
    damaged: Vec<(TaskId, StoreError)>,
}

impl Worker {
    /// Commits if it is time to. Without transactions it does so in small steps and without waiting, as far as nobody waits for the end: call it
    /// once a round. Answers the commit that has ended, if one has.
    pub fn advance(&mut self, now: Duration) -> Result<Option<CommitReport>, EngineError> {
        if self.flight.is_some() {
            return if self.holds_more_than(self.options.dirty_bytes) { self.end_flight().map(Some) } else { self.fly_on(false) };
        }
        if !self.commit_due(now) {
            return Ok(None);
        }
        if !self.may_fly() {
            return self.commit(now).map(Some);
        }
        self.last_commit = now;
        Ok(if self.set_out(now)? { None } else { Some(CommitReport::default()) })
    }

    /// Whether a commit is under way.
    pub fn is_committing(&self) -> bool {
        self.flight.is_some()
    }

    /// Whether a commit under way has something to do itself, rather than to wait for the log.
    pub fn is_busy_committing(&self) -> bool {
        self.flight.as_ref().is_some_and(|flight| matches!(flight.leg, Leg::Launched | Leg::Landing))
    }

    /// Whether a commit may take its time. Not while somebody waits for it, while it is found out what the log refuses, or if what sinks were handed
    /// is to be told from what they are handed meanwhile.
    fn may_fly(&self) -> bool {
        let is_awaited = self.is_held() || self.posture.attempt.is_some();
        let is_searching = self.search.is_some() || !self.verdicts.is_empty();
        let is_plain = self.options.transactional_id.is_none();
        is_plain && !is_awaited && !is_searching && self.plan.blueprint().sinks().is_empty()
    }

    /// Sends the outputs that a commit covers, and has it fly. False if that failed and everything begins again.
    fn set_out(&mut self, now: Duration) -> Result<bool, EngineError> {
        let Some((mut flight, _)) = self.prepare()? else { return Ok(false) };
        match self.launch_all(now, &mut flight) {
            Ok(()) => {
                // What is sent from here on is for the next one.
                self.open_since = None;
                self.flight = Some(flight);
                Ok(true)
            }
            Err(error) => self.recover(error).map(|()| false),
        }
    }

    /// Waits for the commit under way to end, if one is.
    pub(super) fn end_flight(&mut self) -> Result<CommitReport, EngineError> {
        while self.flight.is_some() {
            if let Some(report) = self.fly_on(true)? {
                return Ok(report);
            }
        }
        Ok(CommitReport::default())
    }

    /// Goes on with the commit under way. Answers it when it has ended, well or not.
    fn fly_on(&mut self, wait: bool) -> Result<Option<CommitReport>, EngineError> {
        let Some(mut flight) = self.flight.take() else { return Ok(None) };
        let has_arrived = self.follow(&mut flight, wait);
        match has_arrived {
            Ok(true) => return self.land(flight, wait),
            // Also after an error, which ends it: what is under way is to be aborted.
            Ok(false) | Err(_) => self.flight = Some(flight),
        }
        match has_arrived {
            Err(error) => self.recover(error).map(|()| Some(CommitReport::default())),
            Ok(_) => Ok(None),
        }
    }

    /// Whether the positions are committed by now.
    fn follow(&mut self, flight: &mut Flight, wait: bool) -> Result<bool, LogError> {
        if flight.leg == Leg::Landing {
            return Ok(true);
        }
        if flight.leg == Leg::Launched {
            self.send_changes(flight, self.changes_at_once(flight, wait))?;
            if !flight.unsent.is_empty() {
                return Ok(false);
            }
            self.producer.as_mut().ok_or_else(gone)?.mark();
            flight.leg = Leg::Sent;
        }
        if flight.leg == Leg::Sent {
            let producer = self.producer.as_mut().ok_or_else(gone)?;
            if wait {
                producer.flush()?;
            } else if !producer.acknowledged()? {
                return Ok(false);
            }
            // As of now: by what it was at the beginning the group may have moved on.
            let membership = self.membership_for(flight.positions.iter().map(|(partition, _)| partition));
            let moved_on = || LogError::AbortTransaction("a partition of the commit is not this member's any more".into());
            let membership = membership.ok_or_else(moved_on)?;
            self.producer.as_mut().ok_or_else(gone)?.commit_offsets(&flight.positions, &membership)?;
            flight.leg = Leg::Asked;
        }
        let producer = self.producer.as_mut().ok_or_else(gone)?;
        if !producer.offsets_committed(if wait { SLICE } else { Duration::ZERO })? {
            return Ok(false);
        }
        flight.arrived(producer.take_delivered());
        Ok(true)
    }

    /// How many changes are sent or applied in this round.
    fn changes_at_once(&self, flight: &Flight, wait: bool) -> usize {
        if wait { usize::MAX } else { LEAST_CHANGES.max(2 * self.round).max(flight.changes / PART) }
    }

    /// What a commit covered is committed: the stores follow, in steps of some changes if nobody waits.
    pub(super) fn land(&mut self, mut flight: Flight, wait: bool) -> Result<Option<CommitReport>, EngineError> {
        let mut room = self.changes_at_once(&flight, wait);
        while let Some(id) = flight.tasks.pop_front() {
            let Some(Stage::Running(task)) = self.tasks.get_mut(&id) else { continue };
            let left = task.state.flying_len();
            // Damaged ones are not processed with any more.
            let applied = if left > room && flight.damaged.is_empty() {
                match task.state.apply_some(room) {
                    Ok(()) => {
                        flight.tasks.push_front(id);
                        self.flight = Some(flight);
                        return Ok(None);
                    }
                    error => error,
                }
            } else {
                task.committed(&flight.delivered, &flight.positions)
            };
            room = room.saturating_sub(left);
            match applied {
                Ok(()) => flight.report.times.push((id, task.time())),
                Err(error) => flight.damaged.push((id, error)),
            }
        }
        // What they lack is in their changelogs.
        for (id, error) in flight.damaged {
            self.survive(&id, error.into())?;
        }
        let mut report = CommitReport { ok: true, ..flight.report };
        for (partition, committed) in &flight.positions {
            report.ends.extend(self.reader.cached_end(partition).map(|end| (partition.clone(), end)));
            report.positions.push((partition.clone(), committed.offset));
        }
        self.steps = self.steps.saturating_sub(flight.steps);
        self.search_on();
        Ok(Some(report))
    }

    /// The membership, if it covers these partitions.
    pub(super) fn membership_for<'a>(&self, mut partitions: impl Iterator<Item = &'a TopicPartition>) -> Option<GroupMetadata> {
        let view = self.view.as_ref()?;
        partitions.all(|partition| view.owned.contains(partition)).then(|| view.membership.clone())
    }
}

impl Flight {
    /// A commit that is about to send.
    pub(super) fn new(steps: usize, progressed: bool) -> Flight {
        Flight {
            leg: Leg::Launched,
            positions: Positions::new(),
            steps,
            unsent: VecDeque::new(),
            sent: 0,
            changes: 0,
            tasks: VecDeque::new(),
            delivered: Vec::new(),
            report: CommitReport { progressed, ..CommitReport::default() },
            damaged: Vec::new(),
        }
    }

    /// Takes a task in, with so many changes.
    pub(super) fn board(&mut self, task: &TaskId, changes: usize, positions: Positions) {
        self.changes += changes;
        self.unsent.push_back(task.clone());
        self.tasks.push_back(task.clone());
        self.positions.extend(positions);
    }

    /// The task whose changes are sent next, and how many of them are sent already.
    pub(super) fn next_unsent(&mut self) -> Option<(TaskId, usize)> {
        self.unsent.pop_front().map(|id| (id, std::mem::take(&mut self.sent)))
    }

    /// That task is not done: so many of its changes are sent.
    pub(super) fn go_on(&mut self, task: TaskId, sent: usize) {
        self.unsent.push_front(task);
        self.sent = sent;
    }

    /// What it covers.
    pub(super) fn positions(&self) -> &Positions {
        &self.positions
    }

    /// The positions are committed, with what changelogs took.
    pub(super) fn arrived(&mut self, delivered: Vec<(TopicPartition, i64)>) {
        self.delivered = delivered;
        self.leg = Leg::Landing;
    }
}
