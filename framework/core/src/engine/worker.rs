//! A worker: some tasks, one reader, one producer, one transaction at a time.
//!
//! Whoever drives it repeats, on one thread: carry out orders ([`start`](Worker::start), [`stop`](Worker::stop)), [`poll`](Worker::poll),
//! [`process`](Worker::process), [`advance`](Worker::advance), which commits when it is time to. Time is the caller's: a duration since any fixed moment.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::bounds::{moved_on, refused};
use super::commit::may_pass;
use super::error::EngineError;
use super::flight::Flight;
use super::options::EngineOptions;
use super::orders::View;
use super::posture::{Hold, Posture};
use super::report::Report;
use super::restore::Restore;
use super::search::Search;
use super::sinks::Writers;
use crate::blueprint::{Plan, TaskId};
use crate::port::{Log, LogError, Producer, Reader, ReaderConfig, StateStores, StoreError, Stores};
use crate::record::TopicPartition;
use crate::task::{Markers, StepOutcome, Task, Verdict};
use crate::time::Timestamp;

/// Records one task may process before the next one has its turn.
const TURN: usize = 256;
/// Records fetched in one poll.
const FETCH: usize = 4096;
/// How often the checkpoints of stores that nothing is written to are told the time.
const TOUCH: Duration = Duration::from_secs(600);

/// A task's way through a worker.
pub(super) enum Stage {
    /// The log could not be asked where the task stands, or a predecessor's transaction could not be ended yet; it is tried again
    /// at the next poll.
    Waiting(Box<dyn StateStores>),
    Restoring(Restore),
    Running(Box<Task>),
}

/// See the module's documentation.
pub struct Worker {
    pub(super) plan: Arc<Plan>,
    pub(super) log: Arc<dyn Log>,
    pub(super) stores: Arc<dyn Stores>,
    pub(super) options: EngineOptions,
    pub(super) reader: Box<dyn Reader>,
    /// Reads changelogs; there while something is restored.
    pub(super) restore_reader: Option<Box<dyn Reader>>,
    /// Polls of changelogs in a row that brought nothing.
    pub(super) silent_restores: u32,
    pub(super) restore_idle_since: Option<Duration>,
    /// The changelogs being read, and for which task.
    pub(super) restoring: HashMap<TopicPartition, TaskId>,
    /// Those whose log is to be looked at, because they could not be read on or ended early.
    pub(super) doubtful: BTreeSet<TopicPartition>,
    pub(super) producer: Option<Box<dyn Producer>>,
    /// A producer that is not registered yet.
    pub(super) registering: Option<Box<dyn Producer>>,
    pub(super) tasks: BTreeMap<TaskId, Stage>,
    /// What its tasks deliver with to systems outside of the log.
    pub(super) writers: Writers,
    /// The waiting task that was asked about last, in vain: the next round begins after it.
    pub(super) unanswered: Option<TaskId>,
    /// Which task a partition's records are for.
    pub(super) routes: HashMap<TopicPartition, TaskId>,
    pub(super) paused: HashSet<TopicPartition>,
    pub(super) view: Option<View>,
    pub(super) posture: Posture,
    /// When the open transaction (or, without transactions, the uncommitted work) began.
    pub(super) open_since: Option<Duration>,
    pub(super) last_commit: Duration,
    /// The commit under way, if one is. Only without transactions.
    pub(super) flight: Option<Flight>,
    /// Records processed since the last commit that has ended, or abort.
    pub(super) steps: usize,
    /// For what the log refused, if anything.
    pub(super) search: Option<Search>,
    /// What the search found, by task.
    pub(super) verdicts: BTreeMap<TaskId, Vec<Verdict>>,
    last_markers: Duration,
    last_touch: Duration,
    /// Bytes that the caches have on top of what the options say.
    pub(super) on_top: usize,
    /// Whether one of them was full at the last look.
    pub(super) wants_memory: bool,
    /// What the caller said the time of day is.
    pub(super) wall: Option<Timestamp>,
    pub(super) report: Report,
    /// Records that the last round of processing got through.
    pub(super) round: usize,
    /// Whether the last poll took all that had been fetched, so that a silent partition is known to be silent.
    pub(super) drained: bool,
    /// Partitions that went on at another offset during this poll: the rest of what it brought of them is not to be used.
    pub(super) redirected: HashSet<TopicPartition>,
}

impl Worker {
    /// A worker without tasks.
    pub fn new(
        plan: Arc<Plan>,
        log: Arc<dyn Log>,
        stores: Arc<dyn Stores>,
        options: EngineOptions,
    ) -> Result<Worker, EngineError> {
        let mut reader = log.reader(&ReaderConfig { group: plan.blueprint().app().to_owned(), read_uncommitted: false })?;
        reader.leave_out_headers(&plan.blueprint().inputs_without_headers());
        Ok(Worker {
            plan,
            log,
            stores,
            options,
            reader,
            restore_reader: None,
            silent_restores: 0,
            restore_idle_since: None,
            restoring: HashMap::new(),
            doubtful: BTreeSet::new(),
            producer: None,
            registering: None,
            tasks: BTreeMap::new(),
            writers: Writers::default(),
            unanswered: None,
            routes: HashMap::new(),
            paused: HashSet::new(),
            view: None,
            posture: Posture::default(),
            open_since: None,
            last_commit: Duration::ZERO,
            flight: None,
            steps: 0,
            search: None,
            verdicts: BTreeMap::new(),
            last_markers: Duration::ZERO,
            last_touch: Duration::ZERO,
            on_top: 0,
            wants_memory: false,
            wall: None,
            report: Report::default(),
            round: 0,
            drained: false,
            redirected: HashSet::new(),
        })
    }

    /// The membership to commit with, and what it covers.
    pub fn set_view(&mut self, view: Option<View>) {
        self.view = view;
    }

    /// The time of day: goes into checkpoints, so that a store left alone for too long is noticed. Without it none is.
    pub fn set_wall_time(&mut self, wall: Timestamp) {
        self.wall = Some(wall);
    }

    /// Gives tasks up. A clean stop commits first, with everything else this worker has: one producer, one transaction.
    pub fn stop(&mut self, ids: &[TaskId], clean: bool, now: Duration) -> Result<(), EngineError> {
        if clean && self.has_work_to_commit() {
            self.commit(now)?;
        } else if !clean && (self.open_since.is_some() || self.flight.is_some()) {
            self.abort_and_replay("tasks were lost to another member")?;
        }
        self.collect();
        for id in ids {
            self.verdicts.remove(id);
            self.writers.close(id);
            let Some(stage) = self.tasks.remove(id) else { continue };
            self.unroute(id)?;
            match close(stage, self.wall.filter(|_| clean)) {
                // It is put aside when it is opened next.
                Ok(()) | Err(StoreError::Corrupt { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Fetches records for the tasks, waiting up to `timeout` if there is nothing to do meanwhile. Answers how many came.
    pub fn poll(&mut self, timeout: Duration) -> Result<usize, EngineError> {
        self.retry_waiting()?;
        self.redirected.clear();
        let restored = self.poll_restores(if self.round > 0 { Duration::ZERO } else { timeout })?;
        let timeout = if self.restoring.is_empty() { timeout } else { Duration::ZERO };
        if self.round > 0 && self.buffered().0 > 2 * FETCH as u64 {
            // There is enough to do; the client fetches on its own meanwhile.
            self.drained = false;
            return Ok(restored);
        }
        self.balance_buffers()?;
        let batches = match self.reader.poll(FETCH, timeout) {
            Err(error) if may_pass(&error) => {
                self.drained = false;
                return Ok(restored);
            }
            Err(LogError::OutOfRange { partition, offset, log }) => {
                if !moved_on(self.reader.as_mut(), &partition, offset) {
                    return Err(refused(&self.plan, &partition, offset, log));
                }
                // Its owner has gone on, and deleted what it has processed: the group will say so in a moment.
                self.drained = false;
                self.abort_and_replay("the group went on without this member")?;
                return Ok(restored);
            }
            batches => batches?,
        };
        let records: usize = batches.iter().map(|batch| batch.records.len()).sum();
        self.drained = records < FETCH;
        self.deliver(batches)?;
        Ok(restored + records)
    }

    /// Lets every task process some of what it has. Answers how many records were processed; 0 means there is nothing to do
    /// until more arrives.
    pub fn process(&mut self, now: Duration) -> Result<usize, EngineError> {
        let mut processed = 0;
        self.share_cache();
        let ids: Vec<TaskId> = self.tasks.keys().cloned().collect();
        for id in ids {
            match self.turn(&id, now) {
                Ok(steps) => processed += steps,
                Err(error) => self.survive(&id, error)?,
            }
        }
        self.touch(now)?;
        self.rest_restore_reader(now);
        self.round = processed;
        if now.saturating_sub(self.last_markers) >= self.options.marker_interval {
            // While records flow they carry event time to most partitions; the others must not wait until the flow ends.
            let to = if processed == 0 { Markers::All } else { Markers::Silent };
            self.last_markers = now;
            self.markers(now, to)?;
        }
        Ok(processed)
    }

    /// One task's turn.
    fn turn(&mut self, id: &TaskId, now: Duration) -> Result<usize, EngineError> {
        let turn = TURN.min(self.budget());
        let Some(Stage::Running(task)) = self.tasks.get_mut(id) else { return Ok(0) };
        if turn == 0 {
            // What was processed is committed first.
            return Ok(0);
        }
        task.look_ahead(turn)?;
        let mut steps = 0;
        while steps < turn && task.step()? == StepOutcome::Processed {
            steps += 1;
        }
        // Also while other inputs are busy, which may be always; but only if nothing of a silent one can be on its way. And not while inputs are held:
        // what follows from that may be said by another generation.
        if self.drained && self.posture.hold == Hold::Nothing {
            task.check_idle(now, self.options.idle_timeout)?;
        }
        self.steps += steps;
        if task.has_output() {
            self.send(id, now, |task, producer| task.send_outputs(producer))?;
        }
        self.deliver_from(id)?;
        Ok(steps)
    }

    /// Tells the checkpoints of stores that nothing was written to for long that they are still complete.
    fn touch(&mut self, now: Duration) -> Result<(), EngineError> {
        // Deletions of a commit under way are in the changelogs and not in the stores.
        if now.saturating_sub(self.last_touch) < TOUCH || self.flight.is_some() {
            return Ok(());
        }
        self.last_touch = now;
        let Some(wall) = self.wall else { return Ok(()) };
        let mut damaged = Vec::new();
        for (id, stage) in &mut self.tasks {
            if let Stage::Running(task) = stage {
                damaged.extend(task.touch(wall).err().map(|error| (id.clone(), error)));
            }
        }
        damaged.into_iter().try_for_each(|(id, error)| self.survive(&id, error.into()))
    }

    fn markers(&mut self, now: Duration, to: Markers) -> Result<(), EngineError> {
        let ids: Vec<TaskId> = self.tasks.keys().cloned().collect();
        for id in ids {
            let Some(Stage::Running(task)) = self.tasks.get_mut(&id) else { continue };
            if task.has_markers(to) {
                self.send(&id, now, |task, producer| task.send_markers(to, producer))?;
            } else if let Some(Stage::Running(task)) = self.tasks.get_mut(&id) {
                task.end_marker_round();
            }
        }
        Ok(())
    }

    /// Lets a task write within the open transaction, opening one if there is none. A refused record makes the whole
    /// transaction begin again.
    fn send(
        &mut self,
        id: &TaskId,
        now: Duration,
        write: impl FnOnce(&mut Task, &mut dyn Producer) -> Result<(), LogError>,
    ) -> Result<(), EngineError> {
        let opened = self.open_transaction(now);
        let Some(Stage::Running(task)) = self.tasks.get_mut(id) else { return Ok(()) };
        let written = opened.and_then(|()| match &mut self.producer {
            Some(producer) => write(task, producer.as_mut()),
            None => Ok(()),
        });
        match written {
            Ok(()) => Ok(()),
            Err(error) => self.recover(error),
        }
    }

    /// What was counted since the last call.
    pub fn take_report(&mut self) -> Report {
        self.collect();
        std::mem::take(&mut self.report)
    }

    fn collect(&mut self) {
        for stage in self.tasks.values_mut() {
            let Stage::Running(task) = stage else { continue };
            self.report.produced.extend(task.take_produced());
            self.report.skipped.append(&mut task.skipped);
            self.report.dead_letters.extend(task.take_dead_letters());
            self.report.delivered.extend(task.take_delivered());
            let dropped = std::mem::take(&mut task.state.dropped);
            self.report.dropped.extend(dropped.into_iter().map(|((place, reason), records)| (place, reason, records)));
            for input in task.inputs.iter_mut().filter(|input| input.consumed_records > 0) {
                let counted = (std::mem::take(&mut input.consumed_records), std::mem::take(&mut input.consumed_bytes));
                self.report.consumed.push((input.partition.topic.clone(), counted.0, counted.1));
            }
        }
    }

    /// How many tasks are being restored and how many process.
    pub fn task_counts(&self) -> (usize, usize) {
        let running = self.tasks.values().filter(|stage| matches!(stage, Stage::Running(_))).count();
        (self.tasks.len() - running, running)
    }

    /// Reads the value of a key from a store of a running task, uncommitted writes included. For tests.
    pub fn read_state(&self, task: &TaskId, store: &str, key: &[u8]) -> Result<Option<bytes::Bytes>, StoreError> {
        let Some(Stage::Running(task)) = self.tasks.get(task) else { return Ok(None) };
        match task.stores.iter().position(|(name, _)| name == store) {
            Some(number) => task.state.get(number, key),
            None => Ok(None),
        }
    }

    pub(super) fn running(&self) -> impl Iterator<Item = &Task> {
        self.tasks.values().filter_map(|stage| match stage {
            Stage::Running(task) => Some(&**task),
            _ => None,
        })
    }
}

/// Closes a task's stores, flushed. With `wall`, those that have everything are told the time.
fn close(stage: Stage, wall: Option<Timestamp>) -> Result<(), StoreError> {
    let mut stores = match stage {
        Stage::Waiting(stores) => stores,
        Stage::Restoring(restore) => restore.into_stores(),
        Stage::Running(mut task) => {
            if let Some(wall) = wall {
                task.touch(wall)?;
            }
            task.into_stores()
        }
    };
    stores.flush()
}
