//! The engine's moving parts: a [`Member`] that turns group events into orders, and [`Worker`]s that carry them out. Neither has a thread
//! or a clock: somebody calls them, again and again, with the time.

mod bounds;
mod buffers;
mod commit;
mod delivery;
mod error;
mod flight;
mod inspect;
mod member;
mod options;
mod orders;
mod posture;
mod report;
mod restore;
mod restoring;
mod search;
mod sinks;
mod standing;
mod takeover;
mod worker;

pub use bounds::TombstoneRetention;
pub use error::EngineError;
pub use member::Member;
pub use options::EngineOptions;
pub use orders::{Answer, Order, View};
pub use posture::{Clocks, Hold, Posture};
pub use report::{CommitReport, Recovery, Report, RestoreProgress};
pub use worker::Worker;
