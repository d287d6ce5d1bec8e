//! Runs a topology: threads, the group, commits, shutdown. Knows ports, never Kafka or RocksDB themselves.

#![warn(missing_docs)]

pub mod backfill;
mod clock;
mod consumed;
mod control;
mod crash_loop;
mod error;
mod governor;
pub mod handover;
mod joining;
mod manifest;
mod observer;
mod options;
mod positions;
mod reset;
mod restore_log;
mod run;
mod shutdown;
mod starts;
mod state_desk;
mod throttle;
mod topics;
mod trim;
mod watch;
mod worker_thread;

pub use clock::wall_clock;
pub use consumed::Backlog;
pub use crash_loop::{CrashLoop, FAILURES_MEMO};
pub use error::RunError;
pub use governor::resident_bytes;
pub use handover::Seat;
pub use manifest::MANIFEST_MEMO;
pub use observer::{Activity, Observer, Phase, Silent};
pub use options::{Guarantee, RunOptions};
pub use reset::{Reset, ResetError, ResetRequest, Target};
pub use run::{Process, World};
pub use shutdown::Shutdown;
pub use state_desk::{NoAnswer, StateDesk};
