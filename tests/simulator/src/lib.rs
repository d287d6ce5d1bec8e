//! The simulator: whole applications on the log in memory, with a clock of its own and faults between any two effects. A seed decides
//! everything, so a seed that fails fails again. What must hold is checked against a plain fold over the input.
//!
//! `docs/testing/simulator.md` tells how to use it and how to read its trace.

mod actions;
mod bounded;
mod brokers;
mod cases;
mod checks;
mod control;
mod dice;
mod disk;
mod fault;
mod handover;
mod mark;
mod mutation;
mod play;
mod ports;
mod run;
mod seed;
mod setup;
mod shrink;
mod stage;
mod summary;
mod trace;
mod world;

pub use fault::Fault;
pub use mark::Mark;
pub use mutation::Mutation;
pub use run::{Plan, run};
pub use seed::{Failure, Limits, Outcome, simulate};
pub use shrink::{Shrunk, shrink};
pub use summary::Summary;
