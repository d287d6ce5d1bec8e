//! The log in memory behind a layer that fails on demand and hands records out in small pieces.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use headwater_core::port::{
    Admin, Batch, Committed, Ends, GroupMetadata, Log, LogError, Membership, MembershipConfig, Producer, ProducerConfig, Reader,
    ReaderConfig,
};
use headwater_core::{Outgoing, TopicPartition};
use headwater_testkit::MemoryLog;

use crate::world::Failure;

/// What a crash in the middle of a call looks like to the caller.
pub const CRASHED: &str = "crashed here";

/// What is to come, for the process whose turn it is.
#[derive(Default)]
pub struct Plan {
    /// Calls of producers until the failure, and the failure.
    pub fault: Option<(usize, Failure)>,
    /// The next look at the log's positions fails.
    pub retry_reads: bool,
}

#[derive(Clone)]
pub struct ChaosLog {
    pub inner: MemoryLog,
    pub plan: Arc<Mutex<Plan>>,
    pub fetch: usize,
}

impl ChaosLog {
    /// Counts a call down; answers whether to fail before or after its effect.
    fn strike(&self) -> Option<Failure> {
        let mut plan = self.plan.lock().unwrap();
        let (after, failure) = plan.fault.take()?;
        if after == 0 {
            return Some(failure);
        }
        plan.fault = Some((after - 1, failure));
        None
    }
}

impl Log for ChaosLog {
    fn admin(&self) -> Result<Box<dyn Admin>, LogError> {
        self.inner.admin()
    }

    fn membership(&self, config: &MembershipConfig) -> Result<Box<dyn Membership>, LogError> {
        self.inner.membership(config)
    }

    fn reader(&self, config: &ReaderConfig) -> Result<Box<dyn Reader>, LogError> {
        Ok(Box::new(ChaosReader { inner: self.inner.reader(config)?, log: self.clone() }))
    }

    fn producer(&self, config: &ProducerConfig) -> Result<Box<dyn Producer>, LogError> {
        Ok(Box::new(ChaosProducer { inner: self.inner.producer(config)?, log: self.clone(), doomed: false, open: false }))
    }
}

struct ChaosReader {
    inner: Box<dyn Reader>,
    log: ChaosLog,
}

impl Reader for ChaosReader {
    fn assign(&mut self, partitions: &[(TopicPartition, i64)]) -> Result<(), LogError> {
        self.inner.assign(partitions)
    }

    fn unassign(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError> {
        self.inner.unassign(partitions)
    }

    fn pause(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError> {
        self.inner.pause(partitions)
    }

    fn resume(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError> {
        self.inner.resume(partitions)
    }

    /// A client may hand out one partition's records in several batches of one poll.
    fn poll(&mut self, max_records: usize, timeout: Duration) -> Result<Vec<Batch>, LogError> {
        let batches = self.inner.poll(max_records.min(self.log.fetch), timeout)?;
        Ok(batches.into_iter().flat_map(halves).collect())
    }

    fn committed(&mut self, partitions: &[TopicPartition]) -> Result<Vec<Option<Committed>>, LogError> {
        if std::mem::take(&mut self.log.plan.lock().unwrap().retry_reads) {
            return Err(LogError::Retriable("the coordinator is loading".into()));
        }
        self.inner.committed(partitions)
    }

    fn ends(&mut self, partitions: &[TopicPartition]) -> Result<Vec<Ends>, LogError> {
        self.inner.ends(partitions)
    }

    fn cached_end(&self, partition: &TopicPartition) -> Option<i64> {
        self.inner.cached_end(partition)
    }
}

fn halves(mut batch: Batch) -> Vec<Batch> {
    if batch.records.len() < 2 {
        return vec![batch];
    }
    let rest = batch.records.split_off(batch.records.len() / 2);
    let position = rest[0].offset;
    let first = Batch { records: std::mem::take(&mut batch.records), position, at_end: false, ..batch.clone() };
    vec![first, Batch { records: rest, ..batch }]
}

struct ChaosProducer {
    inner: Box<dyn Producer>,
    log: ChaosLog,
    doomed: bool,
    open: bool,
}

impl ChaosProducer {
    fn call<R>(&mut self, abortable: bool, call: impl FnOnce(&mut dyn Producer) -> Result<R, LogError>) -> Result<R, LogError> {
        if self.doomed && abortable {
            return Err(LogError::AbortTransaction("it failed before".into()));
        }
        match self.log.strike() {
            None => call(self.inner.as_mut()),
            Some(Failure::CrashAfter) => {
                let _done = call(self.inner.as_mut());
                Err(LogError::Fatal(CRASHED.into()))
            }
            Some(Failure::Crash) => Err(LogError::Fatal(CRASHED.into())),
            Some(Failure::Retriable) => Err(LogError::Retriable("try again".into())),
            Some(Failure::Fenced) => Err(LogError::Fenced("somebody else has this id".into())),
            Some(Failure::Abort) => {
                self.doomed = abortable;
                Err(LogError::AbortTransaction("a record was refused".into()))
            }
        }
    }
}

impl Producer for ChaosProducer {
    fn init(&mut self) -> Result<(), LogError> {
        self.call(false, |inner| inner.init())
    }

    fn begin(&mut self) -> Result<(), LogError> {
        self.call(false, |inner| inner.begin())?;
        self.open = true;
        Ok(())
    }

    fn send(&mut self, record: Outgoing<'_>) -> Result<(), LogError> {
        self.call(true, |inner| inner.send(record))
    }

    fn flush(&mut self) -> Result<(), LogError> {
        self.call(true, |inner| inner.flush())
    }

    fn commit(&mut self, offsets: &[(TopicPartition, Committed)], group: &GroupMetadata) -> Result<(), LogError> {
        self.call(true, |inner| inner.commit(offsets, group))?;
        self.open = false;
        Ok(())
    }

    fn abort(&mut self) -> Result<(), LogError> {
        // Kafka's producer refuses this for good.
        assert!(self.open, "there is no transaction to abort");
        self.call(false, |inner| inner.abort())?;
        (self.open, self.doomed) = (false, false);
        Ok(())
    }

    fn take_delivered(&mut self) -> Vec<(TopicPartition, i64)> {
        self.inner.take_delivered()
    }
}
