use std::collections::BTreeSet;
use std::sync::Arc;

use crate::blueprint::TaskId;
use crate::port::GroupMetadata;
use crate::record::TopicPartition;

/// What the member tells a worker.
#[derive(Clone, Debug)]
pub enum Order {
    /// Take this task over.
    Start(TaskId),
    /// Give these tasks up and answer [`Answer::Stopped`]. `clean`: commit first; otherwise they belong to somebody else already
    /// and their uncommitted work must be dropped.
    Stop {
        /// The tasks.
        tasks: Vec<TaskId>,
        /// Whether committing is still allowed.
        clean: bool,
    },
}

/// What a worker tells the member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// These tasks are closed here.
    Stopped(Vec<TaskId>),
}

/// The membership and what it covers, taken at one moment: a commit uses both together or neither. A fresher membership with
/// older partitions would let the broker accept offsets of a partition this process lost.
#[derive(Clone, Debug)]
pub struct View {
    /// Goes into the transaction.
    pub membership: GroupMetadata,
    /// What this process owns.
    pub owned: Arc<BTreeSet<TopicPartition>>,
}
