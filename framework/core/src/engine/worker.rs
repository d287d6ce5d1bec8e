//! A worker: some tasks, one reader, one producer, one transaction at a time.
//!
//! Whoever drives it repeats, on one thread: carry out orders ([`start`](Worker::start), [`stop`](Worker::stop)), [`poll`](Worker::poll),
//! [`process`](Worker::process), and when [`commit_due`](Worker::commit_due), [`commit`](Worker::commit). Time is the caller's: a duration since any fixed moment.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::orders::View;
use super::report::Report;
use super::restore::{Bounds, Restore};
use crate::blueprint::{Plan, TaskId};
use crate::port::{
    Batch, Log, LogError, OpenStore, Producer, ProducerConfig, Reader, ReaderConfig, StateStores, StoreError, Stores,
};
use crate::record::TopicPartition;
use crate::task::{StepOutcome, Task, TaskError};

/// Records one task may process before the next one has its turn.
const TURN: usize = 256;
/// Records fetched in one poll.
const FETCH: usize = 4096;

/// How a worker works.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Transactional id; none for at-least-once.
    pub transactional_id: Option<String>,
    /// Longest time between commits while there is something to commit.
    pub commit_interval: Duration,
    /// Least time between rounds of markers.
    pub marker_interval: Duration,
    /// After this long with nothing to read, an input no longer holds event time back.
    pub idle_timeout: Duration,
    /// Bytes of input a task may hold before its partitions are paused.
    pub buffer_bytes: usize,
    /// Bytes of uncommitted state that force a commit.
    pub dirty_bytes: usize,
}

/// Why a worker cannot go on.
#[derive(Debug, Clone, Error)]
pub enum EngineError {
    /// A task failed.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// The log failed for good.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The state on disk failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A task's way through a worker.
pub(super) enum Stage {
    /// The log could not be asked where the task stands; it is asked again at the next poll.
    Waiting(Box<dyn StateStores>),
    Restoring(Restore),
    Running(Task),
}

/// See the module's documentation.
pub struct Worker {
    pub(super) plan: Arc<Plan>,
    log: Arc<dyn Log>,
    stores: Arc<dyn Stores>,
    pub(super) options: EngineOptions,
    pub(super) reader: Box<dyn Reader>,
    pub(super) producer: Option<Box<dyn Producer>>,
    pub(super) tasks: BTreeMap<TaskId, Stage>,
    /// Which task a partition's records are for.
    routes: HashMap<TopicPartition, TaskId>,
    paused: HashSet<TopicPartition>,
    pub(super) view: Option<View>,
    /// When the open transaction (or, without transactions, the uncommitted work) began.
    pub(super) open_since: Option<Duration>,
    pub(super) last_commit: Duration,
    last_markers: Duration,
    pub(super) report: Report,
    /// Whether the last round of processing got anywhere.
    progressed: bool,
}

impl Worker {
    /// A worker without tasks.
    pub fn new(
        plan: Arc<Plan>,
        log: Arc<dyn Log>,
        stores: Arc<dyn Stores>,
        options: EngineOptions,
    ) -> Result<Worker, EngineError> {
        let reader = log.reader(&ReaderConfig { group: plan.blueprint().app().to_owned(), read_uncommitted: false })?;
        Ok(Worker {
            plan,
            log,
            stores,
            options,
            reader,
            producer: None,
            tasks: BTreeMap::new(),
            routes: HashMap::new(),
            paused: HashSet::new(),
            view: None,
            open_since: None,
            last_commit: Duration::ZERO,
            last_markers: Duration::ZERO,
            report: Report::default(),
            progressed: false,
        })
    }

    /// The membership to commit with, and what it covers.
    pub fn set_view(&mut self, view: Option<View>) {
        self.view = view;
    }

    /// Takes a task over: opens its stores and begins to read what they miss.
    pub fn start(&mut self, id: TaskId) -> Result<(), EngineError> {
        // First of all: this aborts what a predecessor of the same id left open, so that its positions are settled below.
        self.producer()?;
        let open: Vec<OpenStore> = self.plan.stores_of(&id).into_iter().map(|(store, _)| store).collect();
        let stores = self.stores.open(&id.to_string(), &open)?;
        self.restore(id, stores)
    }

    /// Gives tasks up. A clean stop commits first, with everything else this worker has: one producer, one transaction.
    pub fn stop(&mut self, ids: &[TaskId], clean: bool, now: Duration) -> Result<(), EngineError> {
        if clean && self.has_work_to_commit() {
            self.commit(now)?;
        } else if !clean && self.open_since.is_some() {
            self.abort_and_replay("tasks were lost to another member")?;
        }
        self.collect();
        for id in ids {
            let Some(stage) = self.tasks.remove(id) else { continue };
            self.unroute(id)?;
            let mut stores = match stage {
                Stage::Waiting(stores) => stores,
                Stage::Restoring(restore) => restore.into_stores(),
                Stage::Running(task) => task.into_stores(),
            };
            stores.flush()?;
        }
        Ok(())
    }

    /// Fetches records for the tasks, waiting up to `timeout` if there is nothing to do meanwhile. Answers how many came.
    pub fn poll(&mut self, timeout: Duration) -> Result<usize, EngineError> {
        self.retry_waiting()?;
        if self.progressed && self.buffered().0 > 2 * FETCH as u64 {
            // There is enough to do; the client fetches on its own meanwhile.
            return Ok(0);
        }
        self.balance_buffers()?;
        let batches = match self.reader.poll(FETCH, timeout) {
            Err(LogError::Retriable(_)) => return Ok(0),
            batches => batches?,
        };
        let mut records = 0;
        for batch in batches {
            records += batch.records.len();
            self.deliver(batch)?;
        }
        Ok(records)
    }

    fn deliver(&mut self, batch: Batch) -> Result<(), EngineError> {
        // A partition given up between the fetch and now.
        let Some(id) = self.routes.get(&batch.partition) else { return Ok(()) };
        match self.tasks.get_mut(id) {
            Some(Stage::Restoring(restore)) => {
                let partition = batch.partition.clone();
                let done = restore.receive(&batch)?;
                self.report.restored.extend(restore.progress());
                if done {
                    let id = id.clone();
                    self.reader.unassign(std::slice::from_ref(&partition))?;
                    self.routes.remove(&partition);
                    self.finish_restore(&id)?;
                }
            }
            Some(Stage::Running(task)) => {
                if let Some(input) = task.inputs.iter().position(|input| input.partition == batch.partition) {
                    task.receive(input, batch);
                }
            }
            Some(Stage::Waiting(_)) | None => {}
        }
        Ok(())
    }

    /// Lets every task process some of what it has. Answers how many records were processed; 0 means there is nothing to do
    /// until more arrives.
    pub fn process(&mut self, now: Duration) -> Result<usize, EngineError> {
        let mut processed = 0;
        let ids: Vec<TaskId> = self.tasks.keys().cloned().collect();
        for id in ids {
            let Some(Stage::Running(task)) = self.tasks.get_mut(&id) else { continue };
            let mut steps = 0;
            while steps < TURN && task.step()? == StepOutcome::Processed {
                steps += 1;
            }
            if steps == 0 {
                task.check_idle(now, self.options.idle_timeout)?;
            }
            processed += steps;
            if task.has_output() {
                self.send(&id, now, |task, producer| task.send_outputs(producer))?;
            }
        }
        self.progressed = processed > 0;
        if processed == 0 && now.saturating_sub(self.last_markers) >= self.options.marker_interval {
            self.markers(now)?;
        }
        Ok(processed)
    }

    fn markers(&mut self, now: Duration) -> Result<(), EngineError> {
        self.last_markers = now;
        let with_markers = |(id, stage): (&TaskId, &Stage)| match stage {
            Stage::Running(task) if task.has_markers() => Some(id.clone()),
            _ => None,
        };
        let ids: Vec<TaskId> = self.tasks.iter().filter_map(with_markers).collect();
        for id in ids {
            self.send(&id, now, |task, producer| task.send_markers(producer))?;
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

    /// Records and bytes waiting for their turn.
    pub fn buffered(&self) -> (u64, u64) {
        self.running()
            .flat_map(|task| &task.inputs)
            .fold((0, 0), |(records, bytes), input| (records + input.len() as u64, bytes + input.bytes() as u64))
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
            Stage::Running(task) => Some(task),
            _ => None,
        })
    }

    /// Begins to bring stores to the end of their changelogs.
    pub(super) fn restore(&mut self, id: TaskId, stores: Box<dyn StateStores>) -> Result<(), EngineError> {
        let bounds = match Bounds::look_up(&self.plan, &id, self.reader.as_mut()) {
            Ok(bounds) => bounds,
            Err(LogError::Retriable(_)) => {
                self.tasks.insert(id, Stage::Waiting(stores));
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let restore = Restore::begin(id.clone(), bounds, stores)?;
        let to_read = restore.to_read();
        for (partition, _) in &to_read {
            self.routes.insert(partition.clone(), id.clone());
        }
        if !to_read.is_empty() {
            self.reader.assign(&to_read)?;
        }
        self.tasks.insert(id.clone(), Stage::Restoring(restore));
        self.finish_restore(&id)
    }

    fn retry_waiting(&mut self) -> Result<(), EngineError> {
        let waiting = |(id, stage): (&TaskId, &Stage)| matches!(stage, Stage::Waiting(_)).then(|| id.clone());
        let ids: Vec<TaskId> = self.tasks.iter().filter_map(waiting).collect();
        for id in ids {
            if let Some(Stage::Waiting(stores)) = self.tasks.remove(&id) {
                self.restore(id, stores)?;
            }
        }
        Ok(())
    }

    /// Turns a task whose changelogs are all read into a running one.
    fn finish_restore(&mut self, id: &TaskId) -> Result<(), EngineError> {
        match self.tasks.remove(id) {
            Some(Stage::Restoring(restore)) if restore.is_done() => {
                let (task, inputs) = restore.finish(&self.plan);
                for (partition, _) in &inputs {
                    self.routes.insert(partition.clone(), id.clone());
                }
                self.tasks.insert(id.clone(), Stage::Running(task));
                self.report.started.push(id.clone());
                Ok(self.reader.assign(&inputs)?)
            }
            Some(stage) => {
                self.tasks.insert(id.clone(), stage);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Stops reading whatever is read for a task.
    pub(super) fn unroute(&mut self, id: &TaskId) -> Result<(), EngineError> {
        let gone: Vec<TopicPartition> =
            self.routes.iter().filter(|(_, task)| *task == id).map(|(partition, _)| partition.clone()).collect();
        for partition in &gone {
            self.routes.remove(partition);
            self.paused.remove(partition);
        }
        if !gone.is_empty() {
            self.reader.unassign(&gone)?;
        }
        Ok(())
    }

    /// The producer, made and registered when it is first needed and after it was fenced.
    pub(super) fn producer(&mut self) -> Result<(), LogError> {
        if self.producer.is_none() {
            let mut producer = self.log.producer(&ProducerConfig { transactional_id: self.options.transactional_id.clone() })?;
            producer.init()?;
            self.producer = Some(producer);
        }
        Ok(())
    }

    /// Holds partitions back whose task has enough in memory, and lets them go on when half of it is gone.
    fn balance_buffers(&mut self) -> Result<(), LogError> {
        let (mut pause, mut resume) = (Vec::new(), Vec::new());
        for task in self.tasks.values().filter_map(|stage| if let Stage::Running(task) = stage { Some(task) } else { None }) {
            let share = self.options.buffer_bytes / task.inputs.len().max(1);
            for input in &task.inputs {
                let is_paused = self.paused.contains(&input.partition);
                if !is_paused && input.bytes() > share {
                    pause.push(input.partition.clone());
                } else if is_paused && input.bytes() < share / 2 {
                    resume.push(input.partition.clone());
                }
            }
        }
        if !pause.is_empty() {
            self.reader.pause(&pause)?;
            self.paused.extend(pause);
        }
        if !resume.is_empty() {
            self.reader.resume(&resume)?;
            resume.iter().for_each(|partition| {
                self.paused.remove(partition);
            });
        }
        Ok(())
    }
}
