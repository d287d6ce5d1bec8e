//! What can go wrong behind a port, sorted by what the engine does next.

use thiserror::Error;

use super::Ends;
use crate::record::TopicPartition;

/// A failure of the log. The variant is the remedy; the text says what was tried, on which topic or address.
///
/// What a worker meets takes one of three ways, and none of them ends the process: the call is made again (`Retriable`,
/// `Unreachable`); the transaction is aborted and its input processed again (`AbortTransaction`, `Refused`); the producer is replaced
/// and its work begun again at what is committed (`Fenced`, `Unusable`). Only `UnknownTopic` and `Fatal` stop it: nothing
/// gets better by waiting.
#[derive(Debug, Clone, Error)]
pub enum LogError {
    /// Nothing happened; the same call may be made again.
    #[error("{0}")]
    Retriable(String),
    /// The open transaction cannot be committed: abort it and process its input again.
    #[error("the transaction must be aborted: {0}")]
    AbortTransaction(String),
    /// Another producer took over the transactional id, or the group moved on without this member: drop the work,
    /// make a new handle and rejoin.
    #[error("fenced: {0}")]
    Fenced(String),
    /// The handle is of no use any more, though nobody took over from it: the outcome of its transaction is not known, or its sequence
    /// numbers are lost. A new handle settles what it left open; then go on from what is committed.
    #[error("the producer must be replaced: {0}")]
    Unusable(String),
    /// The log refuses a record for good, for its size, its timestamp or its content; as often as it is sent. The open transaction
    /// can only be aborted.
    #[error("{partition} refuses a record: {reason}")]
    Refused {
        /// Where it was to be written.
        partition: TopicPartition,
        /// What the log says is wrong with it.
        reason: String,
    },
    /// The topic does not exist.
    #[error("topic {topic:?} does not exist")]
    UnknownTopic {
        /// The missing topic.
        topic: String,
    },
    /// A partition cannot be read on where it is: its log begins later or ends earlier.
    #[error("offset {offset} of {partition} is out of range: the log has offsets {} to {} (end excluded)", log.start, log.end)]
    OutOfRange {
        /// The partition.
        partition: TopicPartition,
        /// Where it was to be read.
        offset: i64,
        /// What the log has.
        log: Ends,
    },
    /// No broker answered within the time allowed.
    #[error("no Kafka broker could be reached at {addresses}: {tried}")]
    Unreachable {
        /// The configured bootstrap addresses.
        addresses: String,
        /// What was tried, for how long, and the last failure seen.
        tried: String,
    },
    /// The cluster refuses: wrong credentials, missing permission, an unsupported request.
    #[error("{0}")]
    Fatal(String),
}

/// A failure of the state on disk. The store must not be used afterwards: a half-applied batch is never hidden.
#[derive(Debug, Clone, Error)]
pub enum StoreError {
    /// Another process (or another task of this one) has the directory open.
    #[error("state directory {path} is in use by another process; give each process its own --state-dir")]
    Locked {
        /// The locked directory.
        path: String,
    },
    /// Reading or writing failed.
    #[error("state at {path}: {message}")]
    Io {
        /// The directory or file concerned.
        path: String,
        /// What the storage engine said.
        message: String,
    },
    /// The files are damaged. Whoever opens the task next finds it empty and the files put aside.
    #[error("state at {path} is damaged: {message}")]
    Corrupt {
        /// The directory concerned.
        path: String,
        /// What the storage engine said.
        message: String,
    },
    /// The files are not this application's, or of a format this version does not know.
    #[error("state at {path} cannot be used: {message}")]
    Foreign {
        /// The directory concerned.
        path: String,
        /// What was found and what was expected.
        message: String,
    },
}
