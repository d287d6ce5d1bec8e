use thiserror::Error;

use crate::port::{Ends, LogError, StoreError};
use crate::record::TopicPartition;
use crate::task::{TaskError, TaskId};

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
    /// An input's log ends before the committed position.
    #[error(
        "input {partition} ends at offset {} but the group has committed position {position}: the topic was deleted and created again, or truncated. Going on would skip or repeat records; \
         start over with `reset`, which forgets positions and state", log.end
    )]
    InputShorter {
        /// The input.
        partition: TopicPartition,
        /// The committed position.
        position: i64,
        /// What the log has.
        log: Ends,
    },
    /// An input's log begins after the committed position.
    #[error(
        "input {partition} begins at offset {} but the group has committed position {position}: the records in between were deleted before they were processed. Set the group's position \
         to {} to go on without them, or start over with `reset`; and give the topic a retention that covers the longest stop", log.start, log.start
    )]
    InputTrimmed {
        /// The input.
        partition: TopicPartition,
        /// The committed position.
        position: i64,
        /// What the log has.
        log: Ends,
    },
    /// An input's log does not have what a bounded run has yet to read.
    #[error(
        "input {partition} has offsets {} to {} (end excluded), and the run has yet to read offset {position}: that was deleted, or the topic was made anew. \
         Nothing is left out in silence: the run ends here, and what it has committed stays. Remove it with `backfill clean` and plan another one over what there is; \
         and give the topic a retention that covers a run", log.start, log.end
    )]
    SpanLost {
        /// The input.
        partition: TopicPartition,
        /// An offset that the run has yet to read.
        position: i64,
        /// What the log has.
        log: Ends,
    },
    /// A system outside of the log does not take what it is handed.
    #[error(
        "sink {sink:?} of task {task} failed to {doing} and says that trying again is of no use: {message}. Nothing since the last commit counts, and the same records are \
         handed over again at the next start: mend what it delivers to or its settings, or the topology's code, and start again"
    )]
    Sink {
        /// The sink, by its name in the topology.
        sink: String,
        /// The task.
        task: TaskId,
        /// `open`, `deliver` or `flush`.
        doing: &'static str,
        /// What the sink says.
        message: String,
    },
}
