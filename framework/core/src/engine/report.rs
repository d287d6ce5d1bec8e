use crate::blueprint::TaskId;
use crate::port::StoreTrouble;
use crate::record::{TopicName, TopicPartition};
use crate::task::{self, Skipped};
use crate::time::Timestamp;

/// What happened in a worker since the last report.
#[derive(Debug, Default)]
pub struct Report {
    /// Records and bytes handed to operators, by topic.
    pub consumed: Vec<(TopicName, u64, u64)>,
    /// Records and bytes handed to the producer, by topic, changelogs included.
    pub produced: Vec<(TopicName, u64, u64)>,
    /// Records left out, by place and reason.
    pub dropped: Vec<(String, &'static str, u64)>,
    /// The same one by one, where the log should name them.
    pub skipped: Vec<Skipped>,
    /// Records written to the dead-letter topic and committed: the topic they come from (for a timer, its transform), what failed, and how
    /// many.
    pub dead_letters: Vec<(String, task::Stage, u64)>,
    /// Records delivered to each sink and committed, and records that were for one and withheld from it.
    pub delivered: Vec<(String, u64, u64)>,
    /// Tasks that began processing.
    pub started: Vec<TaskId>,
    /// Changelogs read back.
    pub restored: Vec<RestoreProgress>,
    /// Stores that could not simply be continued, and what it was about.
    pub recovered: Vec<Recovery>,
    /// Replaced producers.
    pub fenced: u64,
    /// Transactions aborted and begun again.
    pub aborted: Vec<String>,
}

/// How far a changelog has been read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreProgress {
    /// The task.
    pub task: TaskId,
    /// The store.
    pub store: String,
    /// Records applied since the last report.
    pub applied: u64,
    /// Offsets still to read.
    pub remaining: u64,
}

/// Something that was wrong with a store and has been dealt with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// The task.
    pub task: TaskId,
    /// The store; none if it is about all of the task's.
    pub store: Option<String>,
    /// What was wrong.
    pub trouble: StoreTrouble,
    /// The numbers, in words.
    pub detail: String,
}

/// What a commit covered.
#[derive(Debug, Default)]
pub struct CommitReport {
    /// Whether it succeeded; if not, its tasks began again at their last commit.
    pub ok: bool,
    /// Whether a position moved on, or state changed.
    pub progressed: bool,
    /// The positions committed, for lag and for trimming repartition topics.
    pub positions: Vec<(TopicPartition, i64)>,
    /// The newest known end of each of these partitions.
    pub ends: Vec<(TopicPartition, i64)>,
    /// Each task's watermark.
    pub times: Vec<(TaskId, Timestamp)>,
}
