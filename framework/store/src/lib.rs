//! The state of tasks on disk: the store port (`headwater_core::port::Stores`) on RocksDB. The only crate that names RocksDB.
//!
//! What it keeps, and why it may be trusted after a crash:
//!
//! - one RocksDB per task, a column family per store, all databases of a process within one memory budget;
//! - a checkpoint, the changelog offset that a store has, goes into a write batch with the last of the changes that it accounts for or after them, and all column families
//!   are flushed together: what is found on disk has all that its checkpoints say. It may have changes of later commits, too, which are in the changelog behind it
//!   and are read from there again (`behind`);
//! - there is no write-ahead log: the changelog in Kafka is one already. A crash costs reading again what was applied
//!   since the last flush, never more than 32 MiB or 30 s of it by default;
//! - a full restore writes sorted files that RocksDB takes in as they are, and the checkpoint only after each of them (`load`);
//! - a store that failed to write refuses every later call; a damaged one is put aside when it is opened next, and begins empty.
//!
//! Layout: `directory` has the files, `task` the reads and writes, `behind` what is not in RocksDB yet, `engine` the tuning, `flusher` the flush by age, `pool` the databases
//! kept open for a while after their task was closed.
//!
//! Tasks may be opened, used and dropped on any threads at once. Two rules come with RocksDB: drop every task and the
//! [`RocksStores`] before the process exits (its background threads must not meet C++'s static destructors), and expect
//! dropping a task to take as long as writing out its last few megabytes.

#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod apply;
mod behind;
mod buffer;
mod checkpoint;
mod database;
mod directory;
mod engine;
mod entry;
mod error;
mod flusher;
mod load;
mod open_tasks;
mod options;
mod pool;
mod run;
mod stores;
mod task;
mod unflushed;

pub use directory::{FORMAT_VERSION, LocalState};
pub use options::StoreOptions;
pub use stores::RocksStores;
