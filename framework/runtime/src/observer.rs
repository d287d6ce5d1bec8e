//! What a running application tells about itself: called per batch or per commit, never per record.

use std::time::Duration;

use headwater_core::{Stage, Timestamp, TopicPartition};

use crate::backfill::RunLook;

/// What a worker was doing for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activity {
    /// Waiting for records with nothing to do.
    Idle,
    /// Fetching records that were there.
    Poll,
    /// Running operators.
    Process,
    /// Committing.
    Commit,
    /// Rebuilding stores from their changelogs.
    Restore,
}

/// The life of the process, as `/readyz` and the log tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Checking and creating topics.
    Starting,
    /// A member of the group without tasks yet.
    Joining,
    /// Has tasks, some of them still restoring.
    Restoring,
    /// Waiting before it starts, because it failed so often before; the text says how often and why.
    BackingOff(String),
    /// All tasks it has are processing. A member that was given no task is running too.
    Running,
    /// Committing, closing and leaving the group.
    Stopping,
    /// Stopped because of the error in the text.
    Failed(String),
}

/// Receives what happens. Implementations must be quick and must not block.
pub trait Observer: Send + Sync {
    /// The process entered a phase.
    fn phase(&self, _phase: &Phase) {}
    /// Records taken from a topic and handed to operators.
    fn consumed(&self, _topic: &str, _records: u64, _bytes: u64) {}
    /// Records handed to the producer, by topic (outputs, repartition topics and changelogs alike).
    fn produced(&self, _topic: &str, _records: u64, _bytes: u64) {}
    /// Records left out: `late`; `undecodable`, `too_far_ahead`, `failed`, `timer` and `unwritable`, by policy; `null_key`, `null_value` and
    /// `no_timestamp`.
    fn dropped(&self, _place: &str, _reason: &'static str, _records: u64) {}
    /// Records from a place that were written to the dead-letter topic and committed, by what was being done when they failed.
    fn dead_letters(&self, _place: &str, _stage: Stage, _records: u64) {}
    /// Records delivered to a sink and committed, and records that were for it and withheld, because a replay must not reach it.
    fn delivered(&self, _sink: &str, _delivered: u64, _withheld: u64) {}
    /// A commit ended.
    fn committed(&self, _took: Duration, _ok: bool) {}
    /// Positions moved on: these are what was committed.
    fn progressed(&self, _positions: &[(TopicPartition, i64)]) {}
    /// How often in a row this process has failed without progress.
    fn failures(&self, _in_a_row: u64) {}
    /// Tasks that cannot run here because another member of the group has some of their partitions; each with those missing.
    fn incomplete(&self, _tasks: &[String]) {}
    /// A worker spent this long on one activity.
    fn worker_time(&self, _worker: usize, _activity: Activity, _took: Duration) {}
    /// How many records of an input partition are not committed yet; none when it is no longer this process's.
    fn lag(&self, _partition: &TopicPartition, _records: Option<i64>) {}
    /// Event time behind wall time in a task, in seconds; none when the task left or knows no time yet.
    fn watermark_lag(&self, _task: &str, _seconds: Option<f64>) {}
    /// How far the bounded run is that this process works on, now and then.
    fn bounded_run(&self, _look: &RunLook) {}
    /// Event time in a task; none when the task left or knows no time yet.
    fn event_time(&self, _task: &str, _time: Option<Timestamp>) {}
    /// How many tasks this process has: restoring and running.
    fn tasks(&self, _restoring: u64, _running: u64) {}
    /// A changelog being read back: records applied since the last call, records still to read.
    fn restoring(&self, _store: &str, _partition: i32, _applied: u64, _remaining: u64) {}
    /// A task finished restoring after this long.
    fn restored(&self, _task: &str, _took: Duration) {}
    /// A store could not simply be continued, for this reason; it has been dealt with.
    fn recovered(&self, _store: &str, _reason: &'static str) {}
    /// The group changed this process's partitions.
    fn rebalanced(&self) {}
    /// A producer or member was fenced and will be replaced.
    fn fenced(&self) {}
    /// Records waiting in memory for their turn, all workers together: set per worker.
    fn buffered(&self, _worker: usize, _records: u64, _bytes: u64) {}
}

/// Tells nobody.
#[derive(Debug, Default)]
pub struct Silent;

impl Observer for Silent {}
