use thiserror::Error;

use super::TaskId;
use crate::port::StoreError;
use crate::record::TopicPartition;

/// Why a task cannot go on.
#[derive(Debug, Clone, Error)]
pub enum TaskError {
    /// A record cannot be decoded, and the input's policy is to fail.
    #[error(
        "record at offset {offset} of {partition} cannot be read: {message}. `.on_error(Policy::Skip)` on the input leaves such records out, `.on_error(Policy::DeadLetter)` keeps them in the dead-letter topic"
    )]
    Undecodable {
        /// Where it is.
        partition: TopicPartition,
        /// Which it is.
        offset: i64,
        /// What is wrong with it.
        message: String,
    },
    /// User code failed or panicked on a record, and the input's policy is to fail.
    #[error(
        "record at offset {offset} of {partition} could not be processed in task {task}: {message}. Nothing of it was kept; it is processed again at the next start"
    )]
    Failed {
        /// The task.
        task: TaskId,
        /// Where the record is.
        partition: TopicPartition,
        /// Which it is.
        offset: i64,
        /// What user code answered, or its panic.
        message: String,
    },
    /// User code failed or panicked on a timer.
    #[error("timer of {operator:?} for {time} could not be processed in task {task}: {message}. Nothing of it was kept")]
    TimerFailed {
        /// The task.
        task: TaskId,
        /// The transform.
        operator: String,
        /// The time it was set for.
        time: crate::time::Timestamp,
        /// What user code answered, or its panic.
        message: String,
    },
    /// A record's event time is further ahead than its input allows, and the input's policy is to fail.
    #[error(
        "record at offset {offset} of {partition} is dated too far ahead: {message}. Set `.max_future(...)` on the input if such dates are right, or leave such records out with `.on_error(...)`"
    )]
    TooFarAhead {
        /// Where it is.
        partition: TopicPartition,
        /// Which it is.
        offset: i64,
        /// Its event time, and the latest that is allowed.
        message: String,
    },
    /// What a record or timer led to cannot be written, and the policy is to fail.
    #[error("what {what} leads to in task {task} cannot be written: {message}. Nothing of it was kept")]
    Unwritable {
        /// The task.
        task: TaskId,
        /// The record, with its offset and partition, or the timer.
        what: String,
        /// What the topic takes, or what the brokers said.
        message: String,
    },
    /// The state on disk failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
