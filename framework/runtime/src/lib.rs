//! Runs a topology: threads, the group, commits, shutdown. Knows ports, never Kafka or RocksDB themselves.

mod observer;
mod options;

pub use observer::{Activity, Observer, Phase, Silent};
pub use options::{Guarantee, RunOptions};
