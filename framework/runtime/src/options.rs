//! How to run an application; `ops` fills it from configuration, tests by hand.

use std::time::Duration;

/// What is promised about each record's effects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guarantee {
    /// Each record's effects on state and outputs happen once, as seen by read-committed readers.
    #[default]
    ExactlyOnce,
    /// After a crash the records since the last commit are processed again.
    AtLeastOnce,
}

/// Options of one process. Every field has a default fit for production.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Worker threads; tasks are spread over them.
    pub workers: usize,
    /// The promise.
    pub guarantee: Guarantee,
    /// Longest time between commits while there is something to commit: from the beginning of one to that of the next, or while there is more to process than
    /// was processed, from the end of one. Default 100 ms.
    pub commit_interval: Duration,
    /// The same while records keep coming, if it is longer. Default: zero, no longer.
    pub bulk_interval: Duration,
    /// `group.instance.id`: makes the process a static member.
    pub instance: Option<String>,
    /// Distinguishes this process's transactional ids; `<app>-<process_id>-<worker>`. The instance if there is one.
    pub process_id: String,
    /// Create missing output topics.
    pub create_outputs: bool,
    /// Replicas of internal and output topics this creates; none takes the broker's default.
    pub replication: Option<i32>,
    /// After this long without records an input partition that was read to its end no longer holds event time back. Default 30 s.
    pub idle_timeout: Duration,
    /// Input records processed a second at most, by the whole process. Default: none, as many as it can.
    pub max_rate: Option<u64>,
    /// How often what is committed is deleted from repartition topics. Default 30 s, as Kafka Streams does (`repartition.purge.interval.ms`).
    pub trim_interval: Duration,
    /// Bytes of input a task may hold in memory before its partitions are paused. Default 16 MiB.
    pub buffer_bytes: usize,
    /// Bytes of input all tasks of the process together may hold before those are paused that hold more than their share.
    /// Default 64 MiB.
    pub buffer_total_bytes: usize,
    /// Names of stores and repartitions whose change is known to be harmless: what a start would otherwise refuse. Default: none.
    pub accepted_changes: Vec<String>,
    /// Bytes of uncommitted state a worker may hold before it commits early. Default 32 MiB.
    pub dirty_bytes: usize,
    /// Bytes of committed state a worker keeps in memory in front of its stores. Default 16 MiB.
    pub cache_bytes: usize,
    /// Bytes on top of these while it restores nothing. Default 16 MiB.
    pub lent_bytes: usize,
    /// Bytes that the process may have in memory. Of what it does not use the caches in front of stores get some on top, as far as they are full. Default: none, and they
    /// get nothing.
    pub memory_limit: Option<u64>,
    /// Changelogs a worker reads back at the same time; the others wait for their turn. Default 4.
    pub restore_parallel: usize,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions {
            workers: 1,
            guarantee: Guarantee::ExactlyOnce,
            commit_interval: Duration::from_millis(100),
            bulk_interval: Duration::ZERO,
            instance: None,
            process_id: String::from("local"),
            create_outputs: true,
            replication: None,
            idle_timeout: Duration::from_secs(30),
            max_rate: None,
            trim_interval: Duration::from_secs(30),
            buffer_bytes: 16 << 20,
            buffer_total_bytes: 64 << 20,
            accepted_changes: Vec::new(),
            dirty_bytes: 32 << 20,
            cache_bytes: 16 << 20,
            lent_bytes: 16 << 20,
            memory_limit: None,
            restore_parallel: 4,
        }
    }
}
