//! Committing: the one place where a transaction ends.
//!
//! Order, which the whole promise hangs on: sinks have made lasting what they were handed, everything is produced and acknowledged, the
//! positions are added, the transaction is committed, and only then do the stores take the changes over, together with the changelog offsets they reach.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::EngineError;
use super::options::EngineOptions;
use super::report::CommitReport;
use super::worker::{Stage, Worker};
use crate::blueprint::TaskId;
use crate::port::{Change, Committed, GroupMetadata, LogError};
use crate::record::{Outgoing, TopicPartition};
use crate::task::{Markers, Task};
use crate::time::Timestamp;

type Positions = Vec<(TopicPartition, Committed)>;

impl Worker {
    /// Whether it is time to commit.
    pub fn commit_due(&self, now: Duration) -> bool {
        let since = self.open_since.unwrap_or(self.last_commit);
        let EngineOptions { commit_interval, bulk_interval, .. } = self.options;
        // Whether somebody waits for what is left.
        let interval = match (self.progressed, self.posture.attempt.is_some()) {
            (true, false) => commit_interval.max(bulk_interval),
            (false, true) => Duration::ZERO,
            _ => commit_interval,
        };
        let waited = now.saturating_sub(since) >= interval;
        // State may grow without anything being sent, so without an open transaction.
        let full = || self.running().map(|task| task.state.dirty_bytes()).sum::<usize>() > self.options.dirty_bytes;
        let searching = self.budget() == 0 && self.has_work_to_commit();
        (waited && self.has_work_to_commit()) || full() || searching
    }

    /// Whether a commit would change anything.
    pub fn has_work_to_commit(&self) -> bool {
        let is_untold = |task: &Task| self.is_held() && task.has_markers(Markers::All);
        let is_unfinished = |task: &Task| task.needs_commit() || is_untold(task);
        self.open_since.is_some() || self.writers.are_unflushed() || self.running().any(is_unfinished)
    }

    /// Commits everything processed so far, or puts all tasks back to where they were committed last.
    pub fn commit(&mut self, now: Duration) -> Result<CommitReport, EngineError> {
        self.last_commit = now;
        self.finish_ended()?;
        let progressed = self.running().any(|task| task.needs_commit());
        let Some(membership) = self.covering_membership() else {
            self.abort_and_replay("the group moved on: a partition of the transaction is not this member's any more")?;
            return Ok(CommitReport::default());
        };
        // What the transaction covers must have arrived everywhere before it counts.
        if !self.settle_sinks()? {
            return Ok(CommitReport::default());
        }
        let mut changes = BTreeMap::new();
        match self.commit_transaction(now, &membership, &mut changes) {
            Ok(positions) => Ok(CommitReport { progressed, ..self.apply(&changes, &positions)? }),
            Err(error) => {
                self.recover(error)?;
                Ok(CommitReport::default())
            }
        }
    }

    /// In a bounded run an input may have ended since its task had its turn.
    fn finish_ended(&mut self) -> Result<(), EngineError> {
        let ids: Vec<TaskId> = self.running().map(|task| task.id.clone()).collect();
        for id in ids {
            let Some(Stage::Running(task)) = self.tasks.get_mut(&id) else { continue };
            if let Err(error) = task.finish_if_ended() {
                self.survive(&id, error.into())?;
            }
        }
        Ok(())
    }

    /// The membership, if it covers every partition that the transaction moves.
    fn covering_membership(&self) -> Option<GroupMetadata> {
        let view = self.view.as_ref()?;
        let owned = self.running().flat_map(|task| &task.inputs).all(|input| view.owned.contains(&input.partition));
        owned.then(|| view.membership.clone())
    }

    fn commit_transaction(
        &mut self,
        now: Duration,
        membership: &GroupMetadata,
        changes: &mut BTreeMap<TaskId, Vec<Change>>,
    ) -> Result<Positions, LogError> {
        self.open_transaction(now)?;
        let (traced, is_held) = (self.is_tracing(), self.is_held());
        let Some(producer) = &mut self.producer else { return Err(LogError::Unusable("the producer is gone".into())) };
        let mut positions = Positions::new();
        for (id, stage) in &mut self.tasks {
            let Stage::Running(task) = stage else { continue };
            task.send_outputs(producer.as_mut())?;
            if is_held {
                // Whoever sees that these positions are committed may go by it: nothing is known here that is not told.
                task.send_markers(Markers::All, producer.as_mut())?;
            }
            let changed = changes.entry(id.clone()).or_default();
            changed.extend(task.state.take_changes());
            for change in changed.iter() {
                let Some(topic) = task.changelog_of(change.store).cloned() else { continue };
                let sent = producer.send(Outgoing {
                    topic: &topic,
                    partition: id.partition,
                    key: Some(&change.key),
                    value: change.value.as_deref(),
                    timestamp: task.time().max(Timestamp::from_millis(0)),
                    headers: &[],
                    track_offset: true,
                });
                let sent = sent.and_then(|()| if traced { producer.flush() } else { Ok(()) });
                if sent.is_err() {
                    task.blame_writer(change.store, &change.key);
                }
                sent?;
                let bytes = change.key.len() + change.value.as_ref().map_or(0, bytes::Bytes::len);
                match self.report.produced.last_mut() {
                    Some((last, records, total)) if *last == topic => (*records, *total) = (*records + 1, *total + bytes as u64),
                    _ => self.report.produced.push((topic, 1, bytes as u64)),
                }
            }
            positions.extend(task.positions());
        }
        producer.commit(&positions, membership)?;
        self.open_since = None;
        Ok(positions)
    }

    /// The transaction is committed: the stores follow.
    fn apply(&mut self, changes: &BTreeMap<TaskId, Vec<Change>>, positions: &Positions) -> Result<CommitReport, EngineError> {
        let delivered = self.producer.as_mut().map(|producer| producer.take_delivered()).unwrap_or_default();
        let mut report = CommitReport { ok: true, ..CommitReport::default() };
        let mut damaged = Vec::new();
        for (id, stage) in &mut self.tasks {
            let Stage::Running(task) = stage else { continue };
            let changes = changes.get(id).map(Vec::as_slice).unwrap_or_default();
            match task.committed(changes, &delivered, positions, self.wall) {
                Ok(()) => report.times.push((id.clone(), task.time())),
                Err(error) => damaged.push((id.clone(), error)),
            }
        }
        // What they lack is in their changelogs.
        for (id, error) in damaged {
            self.survive(&id, error.into())?;
        }
        for (partition, committed) in positions {
            report.ends.extend(self.reader.cached_end(partition).map(|end| (partition.clone(), end)));
            report.positions.push((partition.clone(), committed.offset));
        }
        self.search_on();
        Ok(report)
    }

    /// Opens a transaction unless one is open.
    pub(super) fn open_transaction(&mut self, now: Duration) -> Result<(), LogError> {
        if self.open_since.is_none() {
            self.producer()?;
            if let Some(producer) = &mut self.producer {
                producer.begin()?;
            }
            self.open_since = Some(now);
        }
        Ok(())
    }

    /// What a failure of the log in the middle of a transaction means: begin again, with a new producer where the old one is of no use;
    /// find what was refused; or stop.
    pub(super) fn recover(&mut self, error: LogError) -> Result<(), EngineError> {
        match error {
            LogError::Retriable(why) | LogError::AbortTransaction(why) => self.abort_and_replay(&why),
            error @ LogError::Unreachable { .. } => self.abort_and_replay(&error.to_string()),
            LogError::Fenced(why) => {
                self.report.fenced += 1;
                self.replace_producer(&why)
            }
            LogError::Unusable(why) => self.replace_producer(&why),
            LogError::Refused { partition, reason } => self.refused(partition, reason),
            error @ (LogError::UnknownTopic { .. } | LogError::OutOfRange { .. } | LogError::Fatal(_)) => Err(error.into()),
        }
    }

    /// Goes on with a new producer. Registering it settles the old one's transaction, and only then is looked up what is committed: so it
    /// does not matter what became of that.
    pub(super) fn replace_producer(&mut self, why: &str) -> Result<(), EngineError> {
        self.producer = None;
        self.abort_and_replay(why)
    }

    /// Drops everything since the last commit and reads it again. The stores hold only what was committed, so nothing has to
    /// be wiped.
    pub(super) fn abort_and_replay(&mut self, why: &str) -> Result<(), EngineError> {
        self.report.aborted.push(why.to_owned());
        self.writers.discard();
        // Only what was begun may be aborted: Kafka's producer takes anything else for a defect of its caller, for good.
        let was_open = self.open_since.take().is_some();
        if let Some(producer) = self.producer.as_mut().filter(|_| was_open) {
            match producer.abort() {
                Ok(()) => {
                    producer.take_delivered();
                }
                // A new one aborts it by registering.
                Err(error) if may_pass(&error) => self.producer = None,
                Err(other) => return Err(other.into()),
            }
        }
        self.steps = 0;
        let running: Vec<TaskId> = self.running().map(|task| task.id.clone()).collect();
        let ready = self.is_ready()?;
        for id in running {
            self.unroute(&id)?;
            match self.tasks.remove(&id) {
                Some(Stage::Running(task)) if ready => self.restore_in_turn(id, task.into_stores())?,
                Some(Stage::Running(task)) => drop(self.tasks.insert(id, Stage::Waiting(task.into_stores()))),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether a failure leaves hope for another try, be it with another producer.
pub(super) fn may_pass(error: &LogError) -> bool {
    !matches!(error, LogError::UnknownTopic { .. } | LogError::OutOfRange { .. } | LogError::Fatal(_))
}
