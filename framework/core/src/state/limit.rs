//! What topics take. A record that is too large is found while its cause is known, not when a broker refuses it among thousands.

use thiserror::Error;

use crate::record::TopicName;

/// What Kafka's format and the engine's own trailer add to key and value at most, rounded up (`AbstractRecords.estimateSizeInBytesUpperBound`
/// of Apache Kafka's clients: 61 bytes for a batch, 21 for a record, 10 for the lengths of key and value, the rest for the trailer).
pub(crate) const OVERHEAD: usize = 160;

/// The largest record of a topic.
#[derive(Clone, Debug)]
pub(crate) struct Limit {
    pub(crate) topic: TopicName,
    /// In bytes with everything, before compression; as large as can be where it is not known.
    pub(crate) bytes: usize,
}

impl Limit {
    /// Fails if key and value of this many bytes together are too large.
    pub(crate) fn check(&self, size: usize) -> Result<(), TooLarge> {
        if size.saturating_add(OVERHEAD) <= self.bytes {
            return Ok(());
        }
        Err(TooLarge { topic: self.topic.clone(), size, limit: self.bytes })
    }
}

/// A record that cannot be written.
#[derive(Clone, Debug, Error)]
#[error(
    "a record of {size} bytes for topic {topic:?} is too large: the topic takes {limit} bytes (max.message.bytes), and up to {OVERHEAD} are needed besides key and value"
)]
pub(crate) struct TooLarge {
    topic: TopicName,
    size: usize,
    limit: usize,
}
