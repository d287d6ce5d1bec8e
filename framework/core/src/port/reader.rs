use std::time::Duration;

use super::{Committed, LogError, TopicId};
use crate::record::{Record, TopicName, TopicPartition};
use crate::time::Timestamp;

/// How to read.
#[derive(Debug, Clone)]
pub struct ReaderConfig {
    /// The group whose committed offsets [`Reader::committed`] looks up. The reader does not join it.
    pub group: String,
    /// Whether records of open and aborted transactions are shown. Everything the engine processes is read committed.
    pub read_uncommitted: bool,
}

/// When the records of a batch were appended to their log, as far as the reader knows. An event time far beyond it is a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Appended {
    /// Nothing is known: a log without a clock.
    #[default]
    Unknown,
    /// Not later than this moment of wall time, at which they were fetched.
    Before(Timestamp),
    /// Each at its own timestamp: the topic has `message.timestamp.type=LogAppendTime`.
    AtTimestamp,
}

/// Consecutive records of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Where they come from.
    pub partition: TopicPartition,
    /// The records, by ascending offset; may be empty when only the position moved.
    pub records: Vec<Record>,
    /// The next offset to read: past transaction markers and aborted records, so it can be larger than the last
    /// record's offset plus one.
    pub position: i64,
    /// Whether the broker had nothing more for a reader of this isolation level when the position was reached.
    pub at_end: bool,
    /// When the records were appended.
    pub appended: Appended,
}

/// The bounds of a partition's log, whatever the isolation level: the first offset still there, and the next one to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// The first offset that can still be read.
    pub start: i64,
    /// The high watermark, counting records of open transactions: a bounded read is done when position >= end
    /// (KAFKA-10167: the last stable offset would end too early).
    pub end: i64,
}

/// Reads the partitions it is told to, from the offsets it is told.
pub trait Reader: Send {
    /// Says that nobody looks at the headers of these topics' records: an implementation may leave them out of what is assigned from then
    /// on, where looking for them costs something. By default all records have theirs.
    fn leave_out_headers(&mut self, _topics: &[TopicName]) {}
    /// Starts reading each partition at its offset. A partition that is read already jumps there; nothing fetched
    /// before is returned afterwards. An offset outside the log is an error of the next `poll`, naming the partition:
    /// it is never replaced silently ([`LogError::OutOfRange`]).
    fn assign(&mut self, partitions: &[(TopicPartition, i64)]) -> Result<(), LogError>;
    /// Stops reading the partitions; nothing of them is returned afterwards.
    fn unassign(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError>;
    /// Holds the partitions back; what was fetched already is kept or fetched again later.
    fn pause(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError>;
    /// Undoes `pause`.
    fn resume(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError>;
    /// Up to `max_records` records in batches, waiting up to `timeout` for the first. Reaching a partition's end is
    /// reported by a batch with `at_end`, once each time it is reached.
    fn poll(&mut self, max_records: usize, timeout: Duration) -> Result<Vec<Batch>, LogError>;
    /// The group's committed positions, none where there is none. Waits for offsets in open transactions (KIP-447).
    fn committed(&mut self, partitions: &[TopicPartition]) -> Result<Vec<Option<Committed>>, LogError>;
    /// The logs' bounds as of now, read uncommitted whatever this reader's isolation level.
    fn ends(&mut self, partitions: &[TopicPartition]) -> Result<Vec<Ends>, LogError>;
    /// The topics' ids; none where the cluster does not tell (no right to describe it, an old broker).
    fn topic_ids(&mut self, topics: &[TopicName]) -> Result<Vec<Option<TopicId>>, LogError> {
        Ok(vec![None; topics.len()])
    }
    /// The newest known end of a partition that is being read, without asking the broker (for lag metrics).
    fn cached_end(&self, partition: &TopicPartition) -> Option<i64>;
}
