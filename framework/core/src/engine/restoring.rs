//! Reading changelogs back while other tasks process: a reader of its own, a bounded number of changelogs at a time.

use std::time::Duration;

use super::bounds::of_run;
use super::error::EngineError;
use super::restore::Received;
use super::worker::{Stage, Worker};
use crate::blueprint::TaskId;
use crate::port::{Batch, LogError, ReaderConfig, StoreError};
use crate::record::{TopicName, TopicPartition};

/// Records of changelogs taken in one poll: enough to be quick, few enough that running tasks have their turn soon.
const FETCH: usize = 16_384;
/// Polls in a row that bring nothing before the logs are looked at again.
const PATIENCE: u32 = 32;
/// After this long without a restore its reader is closed.
const IDLE: Duration = Duration::from_secs(60);

impl Worker {
    /// Reads on in the changelogs being restored, waiting up to `timeout`. Answers how many records came.
    pub(super) fn poll_restores(&mut self, timeout: Duration) -> Result<usize, EngineError> {
        self.admit_restores()?;
        for partition in std::mem::take(&mut self.doubtful) {
            self.check_restore(&partition)?;
        }
        // What was begun again above is read from its new place by the poll below.
        self.redirected.clear();
        let Some(reader) = self.restore_reader.as_mut().filter(|_| !self.restoring.is_empty()) else { return Ok(0) };
        let batches = match reader.poll(FETCH, timeout) {
            Ok(batches) => batches,
            Err(LogError::Retriable(_)) => return Ok(0),
            Err(LogError::OutOfRange { partition, .. }) => {
                self.check_restore(&partition)?;
                return Ok(0);
            }
            Err(error) => return Err(error.into()),
        };
        let records = batches.iter().map(|batch| batch.records.len()).sum();
        self.silent_restores = if batches.is_empty() { self.silent_restores + 1 } else { 0 };
        for batch in batches {
            self.restore_batch(&batch)?;
        }
        if self.silent_restores >= PATIENCE {
            // The end is reported once. A log that has become shorter after that says nothing more.
            self.silent_restores = 0;
            self.doubtful.extend(self.restoring.keys().cloned());
        }
        Ok(records)
    }

    fn restore_batch(&mut self, batch: &Batch) -> Result<(), EngineError> {
        let Some(id) = self.restoring.get(&batch.partition).cloned() else { return Ok(()) };
        let Some(Stage::Restoring(restore)) = self.tasks.get_mut(&id) else { return Ok(()) };
        // It began again elsewhere during this poll: the rest of what came is of before.
        if self.redirected.contains(&batch.partition) {
            return Ok(());
        }
        match restore.receive(batch) {
            Ok(Received::Done) => self.finish_reading(&id, &batch.partition),
            Ok(Received::Short) => self.check_restore(&batch.partition),
            Ok(Received::More) => {
                let progress = restore.progress();
                self.report.restored.extend(progress);
                Ok(())
            }
            Err(error) => self.survive(&id, error.into()),
        }
    }

    /// Looks whether the log still has what is to be read of a changelog, and begins again at its first offset if not.
    fn check_restore(&mut self, partition: &TopicPartition) -> Result<(), EngineError> {
        let Some(id) = self.restoring.get(partition).cloned() else { return Ok(()) };
        let log = match self.reader.ends(std::slice::from_ref(partition)) {
            // Asked again at the next poll.
            Err(LogError::Retriable(_)) => {
                self.doubtful.insert(partition.clone());
                return Ok(());
            }
            ends => ends?.first().copied(),
        };
        let (Some(log), Some(Stage::Restoring(restore))) = (log, self.tasks.get_mut(&id)) else { return Ok(()) };
        let again = match restore.check_log(partition, log) {
            Ok(again) => again,
            Err(error) => {
                let refusal = of_run(&self.plan, error);
                return self.survive(&id, refusal);
            }
        };
        let Some((offset, recovery)) = again else { return Ok(()) };
        let is_read = restore.is_read(partition);
        self.report.recovered.push(recovery);
        self.redirected.insert(partition.clone());
        if is_read {
            return self.finish_reading(&id, partition);
        }
        match &mut self.restore_reader {
            Some(reader) => Ok(reader.assign(&[(partition.clone(), offset)])?),
            None => Ok(()),
        }
    }

    fn finish_reading(&mut self, id: &TaskId, partition: &TopicPartition) -> Result<(), EngineError> {
        if let Some(Stage::Restoring(restore)) = self.tasks.get_mut(id) {
            self.report.restored.extend(restore.finish_reading(partition));
        }
        self.stop_restoring(std::slice::from_ref(partition))?;
        self.finish_restore(id)?;
        self.admit_restores()
    }

    /// Begins to read the changelogs whose turn it is: as many at a time as there is memory for, in the order of tasks, so that one
    /// task after the other becomes ready.
    pub(super) fn admit_restores(&mut self) -> Result<(), EngineError> {
        let mut next = Vec::new();
        for (id, stage) in &mut self.tasks {
            let Stage::Restoring(restore) = stage else { continue };
            while self.restoring.len() < self.options.restore_parallel.max(1) {
                let Some((partition, offset)) = restore.next_to_read() else { break };
                self.restoring.insert(partition.clone(), id.clone());
                next.push((partition, offset));
            }
        }
        if next.is_empty() {
            return Ok(());
        }
        if self.restore_reader.is_none() {
            let config = ReaderConfig { group: self.plan.blueprint().app().to_owned(), read_uncommitted: false };
            self.restore_reader = Some(self.log.restore_reader(&config)?);
        }
        match &mut self.restore_reader {
            Some(reader) => {
                let changelogs: Vec<TopicName> = next.iter().map(|(partition, _)| partition.topic.clone()).collect();
                reader.leave_out_headers(&changelogs);
                Ok(reader.assign(&next)?)
            }
            None => Ok(()),
        }
    }

    /// Stops reading changelogs.
    pub(super) fn stop_restoring(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError> {
        let gone: Vec<TopicPartition> =
            partitions.iter().filter(|partition| self.restoring.remove(*partition).is_some()).cloned().collect();
        match &mut self.restore_reader {
            Some(reader) if !gone.is_empty() => reader.unassign(&gone),
            _ => Ok(()),
        }
    }

    /// Closes the reader of changelogs once it has been of no use for a while.
    pub(super) fn rest_restore_reader(&mut self, now: Duration) {
        if !self.restoring.is_empty() || self.restore_reader.is_none() {
            self.restore_idle_since = None;
        } else if now.saturating_sub(*self.restore_idle_since.get_or_insert(now)) >= IDLE {
            self.restore_reader = None;
        }
    }

    /// A task whose files turn out to be damaged is dropped and taken over again: its stores open empty, with the damaged files put
    /// aside, and are read back in full. Any other failure stands.
    pub(super) fn survive(&mut self, id: &TaskId, error: EngineError) -> Result<(), EngineError> {
        use crate::task::TaskError;
        let (EngineError::Store(StoreError::Corrupt { .. }) | EngineError::Task(TaskError::Store(StoreError::Corrupt { .. }))) =
            &error
        else {
            return Err(error);
        };
        self.unroute(id)?;
        drop(self.tasks.remove(id));
        // What it has written into the open transaction must not be committed without it.
        if self.open_since.is_some() || self.flight.is_some() {
            self.abort_and_replay(&error.to_string())?;
        }
        self.start(id.clone())
    }
}
