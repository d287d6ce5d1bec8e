use headwater_core::PlanError;
use headwater_core::engine::EngineError;
use headwater_core::port::LogError;
use thiserror::Error;

/// Why an application stopped.
#[derive(Debug, Clone, Error)]
pub enum RunError {
    /// The topology does not fit the topics.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// An internal topic exists with another partition count than the topology needs.
    #[error(
        "internal topic {topic:?} has {found} partitions but the topology needs {expected}: was an input topic's partition count changed, or the topology? \
         State would be read from the wrong partitions. Give the application another name, or delete its internal topics and state and start over"
    )]
    InternalTopic {
        /// The topic.
        topic: String,
        /// Its partitions.
        found: i32,
        /// What the plan says.
        expected: i32,
    },
    /// The log failed outside of a worker.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A worker failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A thread could not be started, or died.
    #[error("worker {worker} died: {message}")]
    Worker {
        /// Its number.
        worker: usize,
        /// What happened.
        message: String,
    },
}
