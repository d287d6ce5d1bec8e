use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

const MIB: usize = 1 << 20;

/// How much the state of one process may use. `StoreOptions::default()` suits a process with 512 MiB or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// Bytes of memory for all tasks together: cached blocks, their indexes and filters, and the writes not yet on disk.
    /// Default 256 MiB.
    pub memory_bytes: usize,
    /// How many files all tasks together may keep open; each gets an equal part, but never less than 20. Default 4096.
    pub open_files: usize,
    /// Threads, shared by all tasks, that flush and compact. Default: the number of cores, at least 2, for a flush must
    /// not wait behind a compaction.
    pub background_jobs: usize,
    /// A task is flushed when this many bytes were applied since its last flush. Default 32 MiB.
    pub flush_bytes: usize,
    /// A task is flushed when its oldest write not yet on disk is this old. Default 30 s.
    pub flush_after: Duration,
    /// Bytes one store gathers while it is restored, before they are sorted and written as a file. Not part of `memory_bytes`: a
    /// process needs this for each changelog it reads back at the same time. Default 16 MiB; more than 1 GiB counts as that.
    pub run_bytes: usize,
    /// How long the files of a closed task stay open, in case it comes back. Default 5 s; zero closes them at once.
    pub keep_open: Duration,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            memory_bytes: 256 * MIB,
            open_files: 4096,
            background_jobs: available_parallelism().map_or(2, NonZeroUsize::get).max(2),
            flush_bytes: 32 * MIB,
            flush_after: Duration::from_secs(30),
            run_bytes: 16 * MIB,
            keep_open: Duration::from_secs(5),
        }
    }
}
