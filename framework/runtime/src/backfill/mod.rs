//! Backfill: a bounded run of the same topology, planned once, worked on by any number of processes, and looked at from outside.
//!
//! The plan is a record in the application's control topic. From there every process that works on the run has the same bounds, also
//! after it was killed. The run itself is an application of its own: see [`headwater_core::bounded`].

mod beginning;
mod clean;
mod compare;
mod digest;
mod error;
mod goal;
mod inherit;
mod latest;
mod look;
mod outputs;
mod plan;
mod registry;
mod request;
mod rows;
mod scan;
mod sinks;
mod staging;
mod state_from;

pub use beginning::begin;
pub(crate) use beginning::continued;
pub use clean::{Cleaning, clean};
pub use compare::{Comparison, Difference, compare};
pub use digest::{ResultDigest, digest};
pub use error::BackfillError;
pub use goal::{Ended, Goal};
pub(crate) use goal::{Pursuit, pursue};
pub use inherit::inherit;
pub use look::{RunLook, RunStage};
pub use plan::{Draft, plan, run_name};
pub use registry::{Registry, Standing};
pub use request::{Destination, Edge, Request};
pub use rows::{OpenRows, Rows};
pub use staging::{Staged, abandon, count, stage};
