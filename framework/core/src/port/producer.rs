use std::time::Duration;

use super::{GroupMetadata, LogError};
use crate::record::{Outgoing, TopicName, TopicPartition};
use crate::time::Timestamp;

/// A record of several that are handed over together: its key, and its value or none.
pub type Entry<'a> = (&'a [u8], Option<&'a [u8]>);

/// So many of them are handed over together at most: what a call costs by itself is nothing then, and the bytes still are in the processor's cache.
pub(crate) const TOGETHER: usize = 256;

/// How to write.
#[derive(Debug, Clone)]
pub struct ProducerConfig {
    /// A stable id makes the producer transactional and fences its predecessor of the same id; none makes it idempotent.
    pub transactional_id: Option<String>,
}

/// An input position as committed to the group: the next offset to read, and what the engine keeps beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The next offset to read.
    pub offset: i64,
    /// Free text stored with the offset; empty if there is none. Brokers cap it (`offset.metadata.max.bytes`, 4096).
    pub metadata: String,
}

/// A writer. With a transactional id: [`init`](Producer::init) once, then `begin`, `send`..., `commit` or `abort`, again and
/// again. Without one, `init` and `begin` do nothing and `commit` writes the offsets after everything
/// sent was acknowledged (at least once).
///
/// Without one there is also a commit that nobody waits for: [`mark`](Producer::mark) after the last record it covers; when all up to there is
/// [`acknowledged`](Producer::acknowledged), [`commit_offsets`](Producer::commit_offsets); and when these are
/// [`offsets_committed`](Producer::offsets_committed) it has ended. Meanwhile records may be sent, but not tracked ones. Where an implementation leaves
/// these methods out they wait.
pub trait Producer: Send {
    /// Registers the transactional id: settles what a predecessor left open and fences it. After [`LogError::Retriable`] another call goes
    /// on where this one was.
    fn init(&mut self) -> Result<(), LogError>;
    /// Opens a transaction.
    fn begin(&mut self) -> Result<(), LogError>;
    /// Hands one record over; blocks while the queue is full. The bytes are copied before it returns.
    fn send(&mut self, record: Outgoing<'_>) -> Result<(), LogError>;
    /// Hands over records of one partition, in their order: as [`send`](Producer::send) would one by one, without headers, but an implementation may
    /// write the time of day in place of `timestamp`. It is for changelogs and repartition topics, where nobody goes by it. An error comes with the number of the record it
    /// is about: those before it were handed over, those behind it may have been.
    fn send_all(
        &mut self,
        topic: &TopicName,
        partition: i32,
        entries: &[Entry<'_>],
        timestamp: Timestamp,
        track_offset: bool,
    ) -> Result<(), (usize, LogError)> {
        entries.iter().enumerate().try_for_each(|(number, (key, value))| {
            let (key, value) = (Some(*key), *value);
            let record = Outgoing { topic, partition, key, value, timestamp, headers: &[], track_offset };
            self.send(record).map_err(|error| (number, error))
        })
    }
    /// Waits until everything sent is acknowledged; fails with [`LogError::Refused`] if anything was refused for good.
    fn flush(&mut self) -> Result<(), LogError>;
    /// Flushes, adds the offsets to the transaction and commits it. When the outcome is unknown the implementation
    /// asks again for as long as the transaction may live. `Ok` means committed. After [`LogError::Fenced`] and [`LogError::Unusable`]
    /// it may be committed or not, which only a successor's `init` and the committed positions tell; after any other `Err` it is not. Without offsets any metadata will do.
    fn commit(&mut self, offsets: &[(TopicPartition, Committed)], group: &GroupMetadata) -> Result<(), LogError>;
    /// Without transactions: sets the mark behind what has been sent so far. One that is set before the last one was acknowledged replaces it.
    fn mark(&mut self) {}
    /// Without transactions, and without waiting: whether everything sent before the mark is acknowledged. Fails, as
    /// [`flush`](Producer::flush) does, if anything was not written, also behind the mark.
    fn acknowledged(&mut self) -> Result<bool, LogError> {
        self.flush().map(|()| true)
    }
    /// Without transactions: sends offsets to the group without waiting for the answer. What they cover must be acknowledged. Fails like
    /// [`commit`](Producer::commit).
    fn commit_offsets(&mut self, offsets: &[(TopicPartition, Committed)], group: &GroupMetadata) -> Result<(), LogError> {
        self.commit(offsets, group)
    }
    /// Whether the offsets sent last are committed by now; waits for up to `timeout`. After an `Err` they may be committed or not.
    fn offsets_committed(&mut self, _timeout: Duration) -> Result<bool, LogError> {
        Ok(true)
    }
    /// Aborts the open transaction, dropping what is still queued. Without transactions it waits until nothing is under way any
    /// more, offsets included. What was refused is forgotten.
    fn abort(&mut self) -> Result<(), LogError>;
    /// For every partition that got records with [`Outgoing::track_offset`] since the last call: the offset after the last of them.
    fn take_delivered(&mut self) -> Vec<(TopicPartition, i64)>;
    /// The largest record this producer sends, in bytes: key, value and headers, before compression.
    fn largest_record(&self) -> usize {
        usize::MAX
    }
}
