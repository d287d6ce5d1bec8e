//! A task's way from its order to start until it processes: a registered producer, the log's word on where it stands, its
//! stores at the end of their changelogs. After an abort the way is the same.

use super::bounds::Bounds;
use super::commit::may_pass;
use super::error::EngineError;
use super::restore::Restore;
use super::worker::{Stage, Worker};
use crate::blueprint::TaskId;
use crate::port::{LogError, OpenStore, ProducerConfig, StateStores};
use crate::record::TopicPartition;

impl Worker {
    /// Registers the producer before there is a task, while the group is joined: the first task need not wait for it then. What fails is
    /// tried again when it is needed. A predecessor of the same transactional id, which is fenced by this, is an earlier life of this process.
    pub fn warm_up(&mut self) -> Result<(), EngineError> {
        match self.producer() {
            Err(error) if !may_pass(&error) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Takes a task over: opens its stores and begins to read what they miss.
    pub fn start(&mut self, id: TaskId) -> Result<(), EngineError> {
        let open: Vec<OpenStore> = self.plan.stores_of(&id).into_iter().map(|(store, _)| store).collect();
        let stores = self.stores.open(&id.to_string(), &open)?;
        self.restore_in_turn(id, stores)
    }

    /// Begins to restore a task, unless another one already waits for the log to answer: each question may take long while a broker is
    /// away, and whoever gives orders to this worker waits for it.
    pub(super) fn restore_in_turn(&mut self, id: TaskId, stores: Box<dyn StateStores>) -> Result<(), EngineError> {
        if self.tasks.values().any(|stage| matches!(stage, Stage::Waiting(_))) {
            self.tasks.insert(id, Stage::Waiting(stores));
            return Ok(());
        }
        self.restore(id, stores)
    }

    /// Begins to bring stores to the end of their changelogs.
    fn restore(&mut self, id: TaskId, stores: Box<dyn StateStores>) -> Result<(), EngineError> {
        let Some(bounds) = self.bounds(&id)? else {
            self.tasks.insert(id, Stage::Waiting(stores));
            return Ok(());
        };
        let restore = match Restore::begin(id.clone(), bounds, stores, self.wall, &mut self.report.recovered) {
            Ok(mut restore) => {
                // What waits for its turn is still to be read, too.
                self.report.restored.extend(restore.progress());
                restore
            }
            Err(error) => return self.survive(&id, error.into()),
        };
        self.tasks.insert(id.clone(), Stage::Restoring(restore));
        self.finish_restore(&id)?;
        self.admit_restores()
    }

    /// What the log says about a task; none if it cannot say yet.
    fn bounds(&mut self, id: &TaskId) -> Result<Option<Bounds>, EngineError> {
        // First of all: this aborts what a predecessor of the same id left open, so that its positions are settled below.
        if !self.is_ready()? {
            return Ok(None);
        }
        match Bounds::look_up(&self.plan, id, self.reader.as_mut(), &self.options.tombstones) {
            Ok(bounds) => Ok(Some(bounds)),
            Err(EngineError::Log(error)) if may_pass(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether there is a registered producer, or one can be had now. It takes over from a predecessor that may still be at work:
    /// what fails for that reason is tried again, and so is a log that cannot be reached, for as long as it takes.
    pub(super) fn is_ready(&mut self) -> Result<bool, EngineError> {
        match self.producer() {
            Ok(()) => Ok(true),
            Err(error) if may_pass(&error) => {
                self.report.aborted.push(error.to_string());
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Asks about the waiting tasks again, in turn. One that still has no answer ends the round.
    pub(super) fn retry_waiting(&mut self) -> Result<(), EngineError> {
        let waiting = |(id, stage): (&TaskId, &Stage)| matches!(stage, Stage::Waiting(_)).then(|| id.clone());
        let mut ids: Vec<TaskId> = self.tasks.iter().filter_map(waiting).collect();
        if ids.is_empty() || !self.is_ready()? {
            return Ok(());
        }
        let next = self.unanswered.take().map_or(0, |last| ids.partition_point(|id| *id <= last));
        ids.rotate_left(next);
        for id in ids {
            if let Some(Stage::Waiting(stores)) = self.tasks.remove(&id) {
                self.restore(id.clone(), stores)?;
            }
            if let Some(Stage::Waiting(_)) = self.tasks.get(&id) {
                self.unanswered = Some(id);
                break;
            }
        }
        Ok(())
    }

    /// Turns a task whose changelogs are all read into a running one.
    pub(super) fn finish_restore(&mut self, id: &TaskId) -> Result<(), EngineError> {
        match self.tasks.remove(id) {
            Some(Stage::Restoring(restore)) if restore.is_done() => {
                let largest = self.producer.as_ref().map_or(usize::MAX, |producer| producer.largest_record());
                let (mut task, inputs) = match restore.finish(&self.plan, largest) {
                    Ok(finished) => finished,
                    Err(error) => return self.survive(id, error.into()),
                };
                if let Err(error) = self.brief(&mut task) {
                    // Its stores are closed before they are opened again.
                    drop(task);
                    return self.survive(id, error);
                }
                for (partition, _) in &inputs {
                    self.routes.insert(partition.clone(), id.clone());
                }
                self.tasks.insert(id.clone(), Stage::Running(Box::new(task)));
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
        let restoring = self.restoring.iter().filter(|(_, task)| *task == id).map(|(partition, _)| partition.clone());
        let restoring: Vec<TopicPartition> = restoring.collect();
        self.stop_restoring(&restoring)?;
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
        if self.producer.is_some() {
            return Ok(());
        }
        let mut producer = match self.registering.take() {
            Some(producer) => producer,
            None => self.log.producer(&ProducerConfig { transactional_id: self.options.transactional_id.clone() })?,
        };
        match producer.init() {
            Ok(()) => self.producer = Some(producer),
            Err(error) => {
                // The next call goes on where this one was.
                self.registering = matches!(error, LogError::Retriable(_)).then_some(producer);
                return Err(error);
            }
        }
        Ok(())
    }
}
