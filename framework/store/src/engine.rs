//! RocksDB's settings, with the reasons. All databases of a process share one engine, hence one memory budget.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamilyDescriptor, DBCompressionType, DEFAULT_COLUMN_FAMILY_NAME, DataBlockIndexType,
    FlushOptions, LogLevel, LruCacheOptions, Options, WriteBufferManager, WriteOptions,
};

use crate::options::StoreOptions;

/// Tasks among which files are divided before anybody has said how many there are.
const USUAL_TASKS: usize = 32;
/// Of what a memtable is expected to hold, the part for its filter, one byte in so many: 15 bits for a record of 60 bytes.
const FILTER_PART: usize = 32;
/// Of the memory for writes, the part in which a task gathers changes, one byte in so many.
const BEHIND_PART: usize = 8;
/// More than this gathered makes a change hardly cheaper.
const MOST_BEHIND: usize = 2 << 20;
/// RocksDB's own least number of open files.
const LEAST_OPEN_FILES: usize = 20;
/// Of nothing at all RocksDB makes no cache: it ends the process.
const LEAST_CACHE: usize = 64 << 10;
/// Of the memory that blocks take, what the cache counts, roughly: the allocator has no places just a little larger than 4 KiB.
const BLOCK_BYTES_PERCENT: usize = 80;
/// Bytes of a part of the cache with a lock of its own, at least.
const CACHE_PART: usize = 32 << 20;
const MOST_CACHE_PARTS: usize = 64;
const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// What the databases of a process have in common.
pub(crate) struct Engine {
    options: StoreOptions,
    /// How many tasks there may be.
    tasks: AtomicUsize,
    cache: Cache,
    /// Bytes that the cache may have on top of the options'.
    lent: Mutex<usize>,
    write_buffers: WriteBufferManager,
}

impl Engine {
    /// Sets up the memory budget.
    pub(crate) fn new(options: StoreOptions) -> Self {
        // The one without locks (`HyperClockCache`) keeps what it has when it is to have less, until other blocks come.
        let mut cache_options = LruCacheOptions::default();
        cache_options.set_capacity(options.memory_bytes.max(LEAST_CACHE));
        // A file's filter or index that is larger than a part of the cache would push everything out of it, and not stay.
        let parts = (options.memory_bytes / CACHE_PART).clamp(1, MOST_CACHE_PARTS);
        cache_options.set_num_shard_bits(parts.ilog2() as i32);
        let cache = Cache::new_lru_cache_opts(&cache_options);
        // Memtables are charged to the cache, so blocks give way to writes within one limit; at half of it the database
        // being written is flushed. Writers are never stalled for it: that would let a task wait for another one's
        // memory, which nothing flushes until its own age says so.
        let write_buffers =
            WriteBufferManager::new_write_buffer_manager_with_cache(options.memory_bytes / 2, false, cache.clone());
        Self { options, tasks: AtomicUsize::new(USUAL_TASKS), cache, lent: Mutex::default(), write_buffers }
    }

    /// Tells how many tasks share what is divided among them.
    pub(crate) fn expect_tasks(&self, tasks: usize) {
        self.tasks.store(tasks.max(1), Ordering::Relaxed);
    }

    /// Files one task may keep open. RocksDB takes no fewer than this least.
    fn open_files_per_task(&self) -> usize {
        (self.options.open_files / self.tasks.load(Ordering::Relaxed)).max(LEAST_OPEN_FILES)
    }

    /// Bytes that a task gathers before they are written into its memtables. As many again are gathered meanwhile.
    pub(crate) fn behind_bytes(&self) -> usize {
        (self.memory_per_task() / BEHIND_PART).min(MOST_BEHIND)
    }

    /// Of the memory for writes, what a task can have.
    fn memory_per_task(&self) -> usize {
        self.options.memory_bytes / 2 / self.tasks.load(Ordering::Relaxed)
    }

    /// Whether the memory budget is used up.
    pub(crate) fn memory_is_short(&self) -> bool {
        self.memory_used_bytes() > self.options.memory_bytes + *self.lent()
    }

    /// A task lends the cache so many bytes, where it lent others before.
    pub(crate) fn lend(&self, before: usize, bytes: usize) {
        let [before, bytes] = [before, bytes].map(|bytes| bytes / 100 * BLOCK_BYTES_PERCENT);
        // One after the other: the cache is to have what they lend together.
        let mut lent = self.lent();
        *lent = *lent - before + bytes;
        self.cache.clone().set_capacity((self.options.memory_bytes + *lent).max(LEAST_CACHE));
    }

    fn lent(&self) -> MutexGuard<'_, usize> {
        // A plain number: whole whatever happened to the thread that held it.
        self.lent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The options this engine was made with.
    pub(crate) fn options(&self) -> &StoreOptions {
        &self.options
    }

    /// Bytes in use of the budget: blocks and memtables.
    pub(crate) fn memory_used_bytes(&self) -> usize {
        self.cache.get_usage()
    }

    /// A column family as every store of a task with so many has it.
    pub(crate) fn family(&self, name: &str, stores: usize) -> ColumnFamilyDescriptor {
        let mut options = self.database();
        if name != DEFAULT_COLUMN_FAMILY_NAME {
            self.filter_memtables(&mut options, stores);
        }
        ColumnFamilyDescriptor::new(name, options)
    }

    /// Most of what a store is asked for and the cache in front of it does not have was written long ago, or never: a filter says so at a fifth
    /// of what a search through the memtable costs, which has a million keys in no order that caches of a processor like. RocksDB takes the
    /// filter's memory for an empty memtable already, so it follows from how much of the memory for writes a task can have.
    fn filter_memtables(&self, options: &mut Options, stores: usize) {
        let expected = self.memory_per_task().min(self.options.flush_bytes) / stores.max(1);
        options.set_memtable_whole_key_filtering(true);
        options.set_memtable_prefix_bloom_ratio((expected / FILTER_PART) as f64 / self.write_buffer_bytes() as f64);
    }

    /// Options of a database; its column families use the same.
    pub(crate) fn database(&self) -> Options {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        // The heart of it: what reaches the disk is one point in time across all stores and their offsets.
        options.set_atomic_flush(true);
        options.set_max_background_jobs(saturating_i32(self.options.background_jobs));
        options.set_max_open_files(saturating_i32(self.open_files_per_task()));
        self.bound_memory(&mut options);
        shape_files(&mut options);
        quieten(&mut options);
        options
    }

    fn write_buffer_bytes(&self) -> usize {
        self.options.flush_bytes.saturating_mul(2).max(MIB)
    }

    fn bound_memory(&self, options: &mut Options) {
        options.set_write_buffer_manager(&self.write_buffers);
        // Twice what our own flush lets gather, so that ours, which knows about offsets, normally comes first; one more
        // buffer than usual, so that writes go on while one is flushed.
        options.set_write_buffer_size(self.write_buffer_bytes());
        options.set_max_write_buffer_number(3);
        // The default of 1 MiB is paid by every store of every task for its first key already.
        options.set_arena_block_size(64 * KIB);

        let mut table = BlockBasedOptions::default();
        table.set_block_cache(&self.cache);
        table.set_block_size(4 * KIB);
        table.set_bloom_filter(10.0, false);
        // Looks at single keys are nearly all there are: a hash finds the place within a block in which others are searched for. It costs a byte or two a key.
        table.set_data_block_index_type(DataBlockIndexType::BinaryAndHash);
        // Outside the cache, indexes and filters would grow with the state, unseen by the budget.
        table.set_cache_index_and_filter_blocks(true);
        table.set_cache_index_and_filter_blocks_with_high_priority(true);
        table.set_pin_l0_filter_and_index_blocks_in_cache(true);
        options.set_block_based_table_factory(&table);
    }
}

/// Sizes and compression of files. `inplace_update_support` stays off although state is update-heavy: with it an iterator
/// no longer sees one point in time. The cache in front writes each key once per commit instead.
fn shape_files(options: &mut Options) {
    options.set_level_compaction_dynamic_level_bytes(true);
    options.set_compression_type(DBCompressionType::Lz4);
    // Write files out steadily rather than in one burst at their end.
    options.set_bytes_per_sync(MIB as u64);
}

/// RocksDB's own log matters only after something went wrong: little of it, and no periodic dumps.
fn quieten(options: &mut Options) {
    options.set_log_level(LogLevel::Warn);
    options.set_max_log_file_size(MIB);
    options.set_keep_log_file_num(2);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
}

/// Writes go to memory only: the changelog is the write-ahead log.
pub(crate) fn write_options() -> WriteOptions {
    let mut options = WriteOptions::default();
    options.disable_wal(true);
    options
}

/// Whether a flush returns when it is on disk or when it has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// When it is on disk.
    Done,
    /// When it has begun; should it fail, the next write does.
    Begun,
}

/// Flushes as told.
pub(crate) fn flush_options(wait: Wait) -> FlushOptions {
    let mut options = FlushOptions::default();
    options.set_wait(wait == Wait::Done);
    options
}

fn saturating_i32(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
