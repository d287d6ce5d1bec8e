//! Hand-overs while a process runs: it hears of them from the application's control topic, does what follows (see
//! [`headwater_core::handover`]), and confirms it. A process of a new generation leads its own.
//!
//! A [`Desk`] does all of it, one round at a time, and is told the time; a process has one on a thread of its own.

mod attend;
mod confirm;
mod desk;
mod generation;
mod lead;
mod pace;
mod seat;
mod stance;

pub(crate) use attend::Attendance;
pub use desk::Desk;
pub use pace::{Moment, Pace};
pub use seat::{Seat, check_generation};
pub use stance::Stance;
