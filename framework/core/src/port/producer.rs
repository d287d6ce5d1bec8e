use super::{GroupMetadata, LogError};
use crate::record::{Outgoing, TopicPartition};

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
/// again. Without one, `init`, `begin` and `abort` do nothing and `commit` writes the offsets after everything
/// sent was acknowledged (at least once).
pub trait Producer: Send {
    /// Registers the transactional id: settles what a predecessor left open and fences it. After [`LogError::Retriable`] another call goes
    /// on where this one was.
    fn init(&mut self) -> Result<(), LogError>;
    /// Opens a transaction.
    fn begin(&mut self) -> Result<(), LogError>;
    /// Hands one record over; blocks while the queue is full. The bytes are copied before it returns.
    fn send(&mut self, record: Outgoing<'_>) -> Result<(), LogError>;
    /// Waits until everything sent is acknowledged; fails with [`LogError::Refused`] if anything was refused for good.
    fn flush(&mut self) -> Result<(), LogError>;
    /// Flushes, adds the offsets to the transaction and commits it. When the outcome is unknown the implementation
    /// asks again for as long as the transaction may live. `Ok` means committed. After [`LogError::Fenced`] and [`LogError::Unusable`]
    /// it may be committed or not, which only a successor's `init` and the committed positions tell; after any other `Err` it is not. Without offsets any metadata will do.
    fn commit(&mut self, offsets: &[(TopicPartition, Committed)], group: &GroupMetadata) -> Result<(), LogError>;
    /// Aborts the open transaction, dropping what is still queued. What was refused in it is forgotten, also without transactions.
    fn abort(&mut self) -> Result<(), LogError>;
    /// For every partition that got records with [`Outgoing::track_offset`] since the last call: the offset after the last of them.
    fn take_delivered(&mut self) -> Vec<(TopicPartition, i64)>;
    /// The largest record this producer sends, in bytes: key, value and headers, before compression.
    fn largest_record(&self) -> usize {
        usize::MAX
    }
}
