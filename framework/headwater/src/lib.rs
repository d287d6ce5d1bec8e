//! Headwater: Kafka-native stream-processor microservices in Rust. The only crate an application depends on.
//!
//! An application describes its [`Topology`] in one function and hands it to [`main`], which gives the binary its commands:
//! `run`, `backfill`, `topology`, `state`, `reset`, `config`, `explain`. The same function runs in a [`TestDriver`], without a broker.
//!
//! ```no_run
//! use headwater::prelude::*;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Visit {
//!     page: String,
//! }
//!
//! fn topology(t: &mut Topology) {
//!     t.input::<String, Visit>("visits").rekey("by-page", |visit| visit.page.clone()).count("hits").to("hits-per-page");
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     headwater::main("page-hits", topology)
//! }
//! ```

#![warn(missing_docs)]

#[cfg(feature = "mimalloc")]
mod allocator;
mod app;
mod backfill;
mod session;
mod stopped;
mod world;

pub use app::{App, main};
pub use headwater_core::*;
pub use headwater_files::{FileInput, FileOptions};
pub use headwater_ops::CliError;
pub use headwater_ops::cli::{cluster_flags, run_flags};
pub use headwater_ops::config::Settings;
pub use headwater_runtime::backfill::{Comparison, Destination, Difference, Edge, Request, Staged};
pub use headwater_runtime::{Backlog, Guarantee, Observer, Process, RunError, RunOptions, Shutdown, Silent, World};
pub use headwater_testkit::{MemoryLog, MemoryStores, Out, SinkCall, TestDriver, TestSink};
pub use session::{Backfilled, Session};

/// What an application needs to describe its topology: `use headwater::prelude::*;`
pub mod prelude {
    pub use headwater_core::{
        At, Codec, Cx, Failure, Fired, Json, Key, List, Map, On, OnTimer, Output, Policy, Reduce, Rekeyed, Setup, Stream, Table,
        Timer, Timestamp, Topology, Transform, Tumbling, Value, Window, Windowed, days, hours, minutes, seconds,
    };
}

/// The parts an application's adapters or tests may want by name.
pub mod adapters {
    pub use headwater_kafka::{GroupProtocol, KafkaConfig, KafkaLog};
    pub use headwater_store::{RocksStores, StoreOptions};
}

/// Compiles and runs the listings of the README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Readme;
