//! Hand-overs while a process runs: it hears of them from the application's control topic, does what follows (see
//! [`headwater_core::handover`]), and confirms it. A process of a new generation leads its own.

mod attend;
mod confirm;
mod generation;
mod lead;

use headwater_core::handover::Side;

pub(crate) use attend::Attendance;

/// Which generation of which application a process runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The application, whose control topic tells of hand-overs.
    pub app: String,
    /// Whether it runs the generation in force, or one that is to take over.
    pub side: Side,
}
