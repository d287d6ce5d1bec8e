use std::time::Duration;

use headwater_core::ControlState;
use headwater_core::bounded::RunPhase;
use headwater_core::handover::Side;
use headwater_core::port::Log;

use crate::RunError;
use crate::control::Control;

/// Which generation of which application a process runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The application, whose control topic tells of hand-overs.
    pub app: String,
    /// Whether it runs the generation in force, or one that is to take over.
    pub side: Side,
}

/// Refuses to run a generation that is not the one in force. `seen` is what the control topic of generation `own` says, which is the application's
/// at first; another one may take `patience` to be read.
///
/// # Errors
/// [`RunError::NotInForce`].
pub fn check_generation(
    seat: &Seat,
    own: &str,
    seen: Option<&ControlState>,
    patience: Duration,
    log: &dyn Log,
) -> Result<(), RunError> {
    let app = seat.app.as_str();
    let state = match seen {
        Some(seen) if own == app => seen.clone(),
        _ => Control::of(app, &headwater_core::control_topic(app), log).read(patience)?.unwrap_or_default(),
    };
    let in_force = state.generation(app);
    let run = state.runs.values().find(|run| run.app == own);
    // One that has taken over once, and is not in force, has been taken over from.
    let is_to_come = seat.side != Side::Old && run.is_none_or(|run| run.phase != RunPhase::Done);
    if in_force == own || is_to_come {
        return Ok(());
    }
    Err(RunError::NotInForce { app: app.to_owned(), own: own.to_owned(), in_force: in_force.to_owned() })
}
