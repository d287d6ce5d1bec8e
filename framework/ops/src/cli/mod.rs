//! The command line of an application: what every application can do, and where it adds its own commands.
//!
//! Data goes to stdout, everything else to stderr. Exit codes: 0 done, 1 failed, 2 called or configured wrongly, 130 stopped
//! by a second signal.

mod backfill;
mod command;
mod dispatch;
mod flags;
mod http;
mod output;
mod reset;
mod run;
mod serving;
mod spec;
mod state;
mod times;
mod topology;
mod usage;

#[cfg(test)]
mod operator_tests;

pub use backfill::{Tally, stage_file};
pub use dispatch::{Invocation, dispatch, main};
pub use flags::{cluster_flags, run_flags};
pub use output::{OutputFormat, output_flag, output_format, print};
pub use spec::{AppCommand, AppSpec, BoundedWork, LocalDirectory, RunCommand, RunContext, StoppedState, Surroundings};
