//! How an application is operated: configuration, command line, admin HTTP, metrics, logs, error pages.
//!
//! - [`cli`]: the commands every application has, and where its own are added: [`cli::main`]
//! - [`config`]: [`config::Settings`], its layers, and where each value came from
//! - [`explain`]: the error codes and their pages
//! - [`metrics`]: what `/metrics` shows; the reference is `METRICS.md`
//! - [`admin`]: `/healthz`, `/readyz`, `/metrics`, `/topology`, `/state`
//! - [`topology`]: a topology as text, Mermaid or JSON
//! - [`logging`], [`progress`]: what goes to stderr
//! - [`shutdown`]: SIGTERM and SIGINT as a flag
#![warn(missing_docs)]
#![forbid(unsafe_code)]

pub mod admin;
pub mod cli;
pub mod config;
mod error;
pub mod explain;
mod fanout;
pub mod logging;
pub mod metrics;
pub mod progress;
mod run_error;
pub mod shutdown;
pub mod topology;

pub use error::CliError;
pub use fanout::Fanout;
pub use run_error::run_error;
