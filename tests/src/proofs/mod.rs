//! Proofs of recovery that take too long for a test: each prints what it measured beside the bound it is held against.
//!
//! - [`kills`]: `kill -9` again and again under load: nothing is wiped, nothing is wrong, little is read again;
//! - [`rolling`]: members stop, leave and are killed under load: how long an output partition waits;
//! - [`backfill`]: ranges computed again by processes that are killed, against what the live run wrote;
//! - [`handover`]: one generation after the other takes over under load;
//! - [`restore`]: a whole store from its changelog, beside Kafka Streams.
//!
//! What they mean and how to read them: docs/operating/proofs.md.

mod application;
pub mod backfill;
mod changelogs;
mod findings;
mod gaps;
mod generator;
pub mod handover;
pub mod kills;
mod lives;
pub mod restore;
pub mod rolling;
mod stage;

pub use findings::Findings;
