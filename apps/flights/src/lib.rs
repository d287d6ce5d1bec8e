//! Departures from New York in 2013: delays per hour, totals per carrier, and aircraft that stay away.
//!
//! The application itself:
//! - [`topology`]: what runs;
//! - [`Flight`], [`Airline`]: the two inputs' records;
//! - [`Hourly`], [`Carrier`], [`Grounded`]: the three outputs' records, each beside the fold or transform that makes it.
//!
//! What stands around it for the demo and the tests:
//! - [`data`]: the records that come with the binary;
//! - [`load`]: writes them into a log;
//! - [`outputs`]: collects what a run wrote;
//! - [`oracle`]: the same results from the CSV, without the framework;
//! - [`compare`]: holds the two against each other;
//! - [`tables`]: shows the results;
//! - [`demo`]: all of these in one command.

#![warn(missing_docs)]

mod carriers;
pub mod compare;
pub mod data;
pub mod demo;
mod flight;
mod grounding;
mod hourly;
pub mod load;
pub mod oracle;
pub mod outputs;
pub mod replay;
pub mod tables;
mod topology;

pub use carriers::{Airline, Carrier, CarrierSums, CarrierTotals, Departure};
pub use flight::Flight;
pub use grounding::{Grounded, Grounding};
pub use hourly::{HourTotals, Hourly, HourlyDelay};
pub use topology::topology;
