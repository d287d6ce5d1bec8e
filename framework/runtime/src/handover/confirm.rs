use std::time::Duration;

use headwater_core::bounded::{RunPhase, RunRecord};
use headwater_core::handover::{Confirmation, Handover, Step};
use headwater_core::port::{Log, LogError};
use headwater_core::{ControlState, Timestamp};

use super::Stance;
use super::generation::names;
use crate::RunError;
use crate::control::{Claim, Control, Plain};

/// What this process has confirmed, so that it says the same only once.
#[derive(Default)]
pub(super) struct Confirmer {
    said: Option<Confirmation>,
    /// Kept open: whoever hands over waits for what it says.
    writer: Option<Plain>,
}

impl Confirmer {
    /// Opens what confirmations are written with, before anybody waits for one.
    pub(super) fn get_ready(&mut self, app: &str, log: &dyn Log) -> Result<(), RunError> {
        if self.writer.is_none() {
            self.writer = Some(Control::of(app, &headwater_core::control_topic(app), log).plain()?);
        }
        Ok(())
    }

    /// Confirms what of this process stands under the present posture, once each of its workers has had nothing left to commit under it.
    pub(super) fn confirm(
        &mut self,
        (handover, step): (&Handover, Step),
        (app, who): (&str, &str),
        stance: &Stance,
        log: &dyn Log,
        now: Timestamp,
    ) -> Result<(), RunError> {
        let Some(settled) = stance.settled().filter(|settled| !settled.is_empty()) else { return Ok(()) };
        let partitions = names(&settled);
        let confirmation = Confirmation { version: Handover::VERSION, attempt: handover.attempt, step, partitions };
        if self.said.as_ref() == Some(&confirmation) {
            return Ok(());
        }
        let (key, value) = confirmation.record(who);
        self.get_ready(app, log)?;
        // One that failed is opened anew.
        let Some(mut writer) = self.writer.take() else { return Ok(()) };
        writer.write(&(key, Some(value)), now)?;
        (self.writer, self.said) = (Some(writer), Some(confirmation));
        Ok(())
    }
}

/// Takes a hand-over one step on, if nobody else did and the new generation was not given up; whether this is now the newest step. A claim that is kept from the step before saves looking
/// again: as long as nobody else has claimed the topic, nobody else has taken a step.
pub(super) fn advance(
    (app, log): (&str, &dyn Log),
    claim: &mut Option<Claim>,
    expected: &ControlState,
    next: &Handover,
    now: Timestamp,
    patience: Duration,
) -> Result<bool, RunError> {
    let topic = headwater_core::control_topic(app);
    let control = Control::of(app, &topic, log);
    let mut held = match claim.take() {
        Some(claim) => claim,
        None => {
            let (claim, state) = control.claim(patience)?;
            if state.handover != expected.handover || (next.step != Step::Aborted && is_cancelled(&state, &next.to)) {
                return Ok(false);
            }
            claim
        }
    };
    // With its last step the run is done: from then on it is the application, or was.
    let run = expected.runs.values().find(|run| next.step == Step::Promoted && run.app == next.to);
    let run = run.map(|run| RunRecord { phase: RunPhase::Done, ..run.clone() }.record());
    let records: Vec<_> = std::iter::once(next.record()).chain(run).map(|(key, value)| (key, Some(value))).collect();
    if let Err(error) = held.write(&records, now) {
        // Who has fenced us has seen to it.
        if !matches!(error, RunError::Log(LogError::Fenced(_))) {
            // At the next round nobody could look, and so nobody claim, until the brokers ended what is open. If this fails, they will.
            drop(control.fence());
        }
        return Err(error);
    }
    *claim = Some(held);
    Ok(true)
}

/// Whether somebody gave this generation up.
fn is_cancelled(state: &ControlState, generation: &str) -> bool {
    state.runs.values().any(|run| run.app == generation && run.phase == RunPhase::Cancelled)
}
