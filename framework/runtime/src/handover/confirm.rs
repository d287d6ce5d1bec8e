use std::collections::BTreeSet;
use std::time::Duration;

use headwater_core::bounded::{RunPhase, RunRecord};
use headwater_core::handover::{Confirmation, Handover, Side, Step};
use headwater_core::port::Log;

use crate::RunError;
use crate::control::Control;
use crate::worker_thread::Shared;

/// How long the control topic may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What this process has confirmed, so that it says the same only once.
#[derive(Debug, Default)]
pub(super) struct Confirmer {
    said: Option<Confirmation>,
}

impl Confirmer {
    /// Confirms what this process holds, once all its workers have committed everything under the present posture.
    pub(super) fn confirm(
        &mut self,
        (handover, step): (&Handover, Step),
        (app, who): (&str, &str),
        side: &Side,
        inputs: &BTreeSet<String>,
        shared: &Shared,
        log: &dyn Log,
    ) -> Result<(), RunError> {
        if !shared.has_settled() {
            return Ok(());
        }
        let Some(view) = shared.view() else { return Ok(()) };
        let counts = |topic: &str| *side != Side::Old || inputs.contains(topic);
        let held = view.owned.iter().filter(|partition| counts(&partition.topic));
        let partitions = held.map(|partition| (partition.topic.to_string(), partition.partition)).collect();
        let confirmation = Confirmation { version: Handover::VERSION, attempt: handover.attempt, step, partitions };
        if self.said.as_ref() == Some(&confirmation) {
            return Ok(());
        }
        let (key, value) = confirmation.record(who);
        Control::of(app, &headwater_core::control_topic(app), log)
            .update(PATIENCE, |_| Ok(vec![(key.clone(), Some(value.clone()))]))?;
        self.said = Some(confirmation);
        Ok(())
    }
}

/// Takes a hand-over one step on, if nobody else did; whether this is now the newest step.
pub(super) fn advance(app: &str, log: &dyn Log, expected: Option<&Handover>, next: &Handover) -> Result<bool, RunError> {
    let mut done = false;
    Control::of(app, &headwater_core::control_topic(app), log).update(PATIENCE, |state| {
        done = state.handover.as_ref() == expected;
        if !done {
            return Ok(Vec::new());
        }
        // With its last step the run is done: from then on it is the application, or was.
        let run = state.runs.values().find(|run| next.step == Step::Promoted && run.app == next.to);
        let run = run.map(|run| RunRecord { phase: RunPhase::Done, ..run.clone() }.record());
        let records = std::iter::once(next.record()).chain(run);
        Ok(records.map(|(key, value)| (key, Some(value))).collect())
    })?;
    Ok(done)
}
