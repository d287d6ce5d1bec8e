//! Chaos on a real cluster: the `ledger` application in several processes under load, while processes and brokers are killed, stopped,
//! paused and added; then everything that was committed is compared with a plain fold of the input.
//!
//! - [`Options`]: what is run, for how long, from which seed;
//! - [`run`]: the whole of it; [`Outcome`]: what came out;
//! - [`oracle`]: the plain fold, and the comparison.
//!
//! A seed fixes the actions and their order, not what they meet: that depends on the machine.

mod action;
mod arena;
mod brokers;
mod calm;
mod diary;
mod disk;
mod generator;
mod logs;
mod member;
mod members;
mod options;
pub mod oracle;
mod scan;
mod scenario;
mod tail;

pub use action::Action;
pub use diary::Outcome;
pub use options::{Options, Size};
pub use scenario::run;
