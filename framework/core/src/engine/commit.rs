//! Committing: the one place where a transaction ends.
//!
//! Order, which the whole promise hangs on: sinks have made lasting what they were handed, everything is produced and acknowledged, the
//! positions are added, the transaction is committed, and only then do the stores take the changes over, together with the changelog offsets they reach.

use std::time::Duration;

use bytes::Bytes;

use super::error::EngineError;
use super::flight::Flight;
use super::options::EngineOptions;
use super::report::{CommitReport, Report};
use super::worker::{Stage, Worker};
use crate::blueprint::TaskId;
use crate::port::{Committed, GroupMetadata, LogError, Producer, TOGETHER};
use crate::record::TopicPartition;
use crate::task::{Markers, Task};
use crate::time::Timestamp;

/// Of inputs, as a commit moves them.
pub(super) type Positions = Vec<(TopicPartition, Committed)>;

impl Worker {
    /// Whether it is time to commit.
    pub fn commit_due(&self, now: Duration) -> bool {
        let since = self.interval_since();
        let EngineOptions { commit_interval, bulk_interval, .. } = self.options;
        // Whether somebody waits for what is left.
        let interval = match (self.round > 0, self.posture.attempt.is_some()) {
            (true, false) => commit_interval.max(bulk_interval),
            (false, true) => Duration::ZERO,
            _ => commit_interval,
        };
        let waited = now.saturating_sub(since) >= interval;
        let searching = self.budget() == 0 && self.has_work_to_commit();
        // Where one commit may be under way while changes for the next gather, each has half of the room.
        let room = self.options.dirty_bytes / if self.options.transactional_id.is_none() { 2 } else { 1 };
        (waited && self.has_work_to_commit()) || self.holds_more_than(room) || searching
    }

    /// Since when the commit interval runs. Who has processed all that came keeps a beat, from the beginning of a commit to that of the next one: otherwise
    /// records would wait for what the last commit took, too. Who is behind has the interval between commits for processing, which a transaction's end interrupts.
    fn interval_since(&self) -> Duration {
        let is_behind = || !self.drained || self.buffered().0 > 0;
        self.open_since.filter(|_| is_behind()).unwrap_or(self.last_commit)
    }

    /// Whether there is more uncommitted state than this. It may grow without anything being sent, so without an open transaction.
    pub(super) fn holds_more_than(&self, bytes: usize) -> bool {
        self.running().map(|task| task.state.dirty_bytes()).sum::<usize>() > bytes
    }

    /// Whether a commit would change anything.
    pub fn has_work_to_commit(&self) -> bool {
        let is_untold = |task: &Task| self.is_held() && task.has_markers(Markers::All);
        let is_unfinished = |task: &Task| task.needs_commit() || is_untold(task);
        self.flight.is_some() || self.open_since.is_some() || self.writers.are_unflushed() || self.running().any(is_unfinished)
    }

    /// Commits everything processed so far, or puts all tasks back to where they were committed last. Waits for the end, also of a commit that is
    /// under way.
    pub fn commit(&mut self, now: Duration) -> Result<CommitReport, EngineError> {
        let mut progressed = false;
        if self.flight.is_some() {
            let report = self.end_flight()?;
            if !report.ok || !self.has_work_to_commit() {
                return Ok(report);
            }
            progressed = report.progressed;
        }
        self.last_commit = now;
        let Some((mut flight, membership)) = self.prepare()? else { return Ok(CommitReport::default()) };
        match self.commit_transaction(now, &membership, &mut flight) {
            Ok(()) => {
                let report = self.land(flight, true)?.unwrap_or_default();
                Ok(CommitReport { progressed: report.progressed || progressed, ..report })
            }
            Err(error) => {
                self.recover(error)?;
                Ok(CommitReport::default())
            }
        }
    }

    /// What comes before anything is sent for a commit. None if that failed and everything begins again.
    pub(super) fn prepare(&mut self) -> Result<Option<(Flight, GroupMetadata)>, EngineError> {
        self.finish_ended()?;
        let progressed = self.running().any(|task| task.needs_commit());
        let covered = self.running().flat_map(|task| &task.inputs).map(|input| &input.partition);
        let Some(membership) = self.membership_for(covered) else {
            self.abort_and_replay("the group moved on: a partition of the transaction is not this member's any more")?;
            return Ok(None);
        };
        // What the transaction covers must have arrived everywhere before it counts.
        Ok(self.settle_sinks()?.then(|| (Flight::new(self.steps, progressed), membership)))
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

    fn commit_transaction(&mut self, now: Duration, membership: &GroupMetadata, flight: &mut Flight) -> Result<(), LogError> {
        self.launch_all(now, flight)?;
        self.send_changes(flight, usize::MAX)?;
        let Some(producer) = &mut self.producer else { return Err(gone()) };
        producer.commit(flight.positions(), membership)?;
        self.open_since = None;
        flight.arrived(producer.take_delivered());
        Ok(())
    }

    /// Has `flight` take everything along that was processed so far. Of what is to be sent only the changes are left then.
    pub(super) fn launch_all(&mut self, now: Duration, flight: &mut Flight) -> Result<(), LogError> {
        self.open_transaction(now)?;
        let is_held = self.is_held();
        let Some(producer) = &mut self.producer else { return Err(gone()) };
        for (id, stage) in &mut self.tasks {
            let Stage::Running(task) = stage else { continue };
            task.send_outputs(producer.as_mut())?;
            if is_held {
                // Whoever sees that these positions are committed may go by it: nothing is known here that is not told.
                task.send_markers(Markers::All, producer.as_mut())?;
            }
            task.launch(self.wall);
            flight.board(id, task.state.flying_len(), task.positions());
        }
        Ok(())
    }

    /// Sends changes to changelogs, so many at most.
    pub(super) fn send_changes(&mut self, flight: &mut Flight, most: usize) -> Result<(), LogError> {
        let traced = self.is_tracing();
        let Some(producer) = &mut self.producer else { return Err(gone()) };
        let mut room = most;
        while let Some((id, sent)) = flight.next_unsent() {
            let Some(Stage::Running(task)) = self.tasks.get_mut(&id) else { continue };
            let all = task.state.flying_len();
            let now = room.min(all - sent);
            if let Err((store, key, error)) = send_changes(task, (sent, now), producer.as_mut(), traced, &mut self.report) {
                task.blame_writer(store, &key);
                return Err(error);
            }
            room -= now;
            if sent + now < all {
                flight.go_on(id, sent + now);
                break;
            }
        }
        Ok(())
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
        // Nothing fences the records of a producer without transactions: those on their way must have arrived before others take their place.
        if self.options.transactional_id.is_none()
            && let Some(producer) = &mut self.producer
        {
            // Of no use any more, whatever it answers.
            let _ = producer.abort();
        }
        self.producer = None;
        self.abort_and_replay(why)
    }

    /// Drops everything since the last commit and reads it again. The stores hold only what was committed, so nothing has to
    /// be wiped.
    pub(super) fn abort_and_replay(&mut self, why: &str) -> Result<(), EngineError> {
        self.report.aborted.push(why.to_owned());
        self.writers.discard();
        // Only what was begun may be aborted: Kafka's producer takes anything else for a defect of its caller, for good.
        let (open, flight) = (self.open_since.take(), self.flight.take());
        let was_open = open.is_some() || flight.is_some();
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

/// Sends so many of a task's changes, after the first ones, to its changelogs. An error says what it is about.
fn send_changes(
    task: &Task,
    (first, count): (usize, usize),
    producer: &mut dyn Producer,
    traced: bool,
    report: &mut Report,
) -> Result<(), (usize, Bytes, LogError)> {
    let timestamp = task.time().max(Timestamp::from_millis(0));
    let most = if traced { 1 } else { TOGETHER };
    let mut changes = task.state.flying_after(first).take(count).peekable();
    let mut entries = Vec::with_capacity(most.min(count));
    while let Some((store, key, value)) = changes.next() {
        let Some(topic) = task.changelog_of(store) else { continue };
        entries.push((&key[..], value.as_deref()));
        if entries.len() < most && changes.peek().is_some_and(|(next, ..)| *next == store) {
            continue;
        }
        let sent = producer.send_all(topic, task.id.partition, &entries, timestamp, true);
        let sent = sent.and_then(|()| if traced { producer.flush().map_err(|error| (0, error)) } else { Ok(()) });
        sent.map_err(|(number, error)| (store, Bytes::copy_from_slice(entries[number].0), error))?;
        let bytes: usize = entries.iter().map(|(key, value)| key.len() + value.map_or(0, <[u8]>::len)).sum();
        let records = entries.len() as u64;
        match report.produced.last_mut() {
            Some((last, sent, total)) if last == topic => (*sent, *total) = (*sent + records, *total + bytes as u64),
            _ => report.produced.push((topic.clone(), records, bytes as u64)),
        }
        entries.clear();
    }
    Ok(())
}

pub(super) fn gone() -> LogError {
    LogError::Unusable("the producer is gone".into())
}

/// Whether a failure leaves hope for another try, be it with another producer.
pub(super) fn may_pass(error: &LogError) -> bool {
    !matches!(error, LogError::UnknownTopic { .. } | LogError::OutOfRange { .. } | LogError::Fatal(_))
}
