use std::sync::Arc;
use std::time::Duration;

use super::bounds::TombstoneRetention;

/// How a worker works.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Transactional id; none for at-least-once.
    pub transactional_id: Option<String>,
    /// Longest time between commits while there is something to commit: from the beginning of one to that of the next, or while there is more to process than
    /// was processed, from the end of one.
    pub commit_interval: Duration,
    /// The same while records keep coming, if it is longer: for who does not wait for single results. It saves transactions, and writes to changelogs
    /// of what changes more than once.
    pub bulk_interval: Duration,
    /// Least time between rounds of markers.
    pub marker_interval: Duration,
    /// After this long with nothing to read, an input no longer holds event time back.
    pub idle_timeout: Duration,
    /// Bytes of input a task may hold before its partitions are paused.
    pub buffer_bytes: usize,
    /// Bytes of input all tasks of the worker together may hold before those are paused that hold more than their share.
    pub buffer_total_bytes: usize,
    /// Bytes of uncommitted state that force a commit.
    pub dirty_bytes: usize,
    /// Bytes of committed state to keep in memory in front of the stores.
    pub cache_bytes: usize,
    /// Bytes on top of these while nothing is restored.
    pub lent_bytes: usize,
    /// Changelogs read back at the same time; the others wait for their turn.
    pub restore_parallel: usize,
    /// How long the topics behind stores keep deletions.
    pub tombstones: Arc<TombstoneRetention>,
}

impl Default for EngineOptions {
    fn default() -> EngineOptions {
        EngineOptions {
            transactional_id: None,
            commit_interval: Duration::from_millis(100),
            bulk_interval: Duration::ZERO,
            marker_interval: Duration::from_secs(1),
            idle_timeout: Duration::from_secs(30),
            buffer_bytes: 16 << 20,
            buffer_total_bytes: 64 << 20,
            dirty_bytes: 32 << 20,
            cache_bytes: 16 << 20,
            lent_bytes: 16 << 20,
            restore_parallel: 4,
            tombstones: Arc::default(),
        }
    }
}
