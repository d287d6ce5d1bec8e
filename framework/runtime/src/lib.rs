//! Runs a topology: threads, the group, commits, shutdown. Knows ports, never Kafka or RocksDB themselves.

#![warn(missing_docs)]

mod consumed;
mod error;
mod observer;
mod options;
mod restore_log;
mod run;
mod shutdown;
mod topics;
mod trim;
mod worker_thread;

pub use consumed::Backlog;
pub use error::RunError;
pub use observer::{Activity, Observer, Phase, Silent};
pub use options::{Guarantee, RunOptions};
pub use run::{Process, World};
pub use shutdown::Shutdown;
