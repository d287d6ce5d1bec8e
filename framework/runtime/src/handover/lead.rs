//! The new generation's part: it follows, asks for a cut when it is close, and takes over when all is confirmed. Any number of its processes
//! may do this at the same time: each step is written once.

use std::sync::Arc;
use std::time::Duration;

use headwater_core::bounded::{RunPhase, RunRecord};
use headwater_core::handover::{Following, Handover, Step};
use headwater_core::port::Log;
use headwater_core::{ControlState, Plan, Timestamp};

use super::confirm::advance;
use super::generation::{Generation, names};
use super::{Moment, Pace};
use crate::RunError;
use crate::control::Claim;

pub(super) struct Leader {
    app: String,
    own: String,
    pace: Pace,
    follower: Generation,
    old: Option<Generation>,
    following: Following,
    /// The attempt under way, and since when.
    since: Option<(Timestamp, Duration)>,
    /// The newest attempt that was given up, and when the next one may begin.
    given_up: Option<Timestamp>,
    not_before: Duration,
    has_taken_over: bool,
    /// Of the attempt under way.
    claim: Option<Claim>,
}

impl Leader {
    pub(super) fn new(app: &str, plan: &Plan, log: &dyn Log, pace: Pace) -> Result<Leader, RunError> {
        Ok(Leader {
            app: app.to_owned(),
            own: plan.blueprint().app().to_owned(),
            pace,
            follower: Generation::of(plan, log)?,
            old: None,
            following: Following::default(),
            since: None,
            given_up: None,
            not_before: Duration::ZERO,
            has_taken_over: false,
            claim: None,
        })
    }

    /// What is known of the old generation.
    pub(super) fn following(&self) -> &Following {
        &self.following
    }

    /// Looks at both generations and takes the hand-over on if it can go on.
    pub(super) fn step(&mut self, state: &ControlState, log: &dyn Log, now: Moment) -> Result<(), RunError> {
        // One that has taken over does so once: when the next one takes over from it, it is over.
        let is_done = |run: &RunRecord| run.app == self.own && run.phase == RunPhase::Done;
        self.has_taken_over |= state.generation(&self.app) == self.own || state.runs.values().any(is_done);
        if self.has_taken_over {
            return Ok(());
        }
        self.rest(state.handover.as_ref(), now.elapsed);
        let (own, known) = (self.own.clone(), self.following.clocks.take());
        let Some(old) = self.old(state, log)? else { return Ok(()) };
        let positions = old.positions()?;
        let is_sealed = state.handover.as_ref().is_some_and(|handover| handover.to == own && handover.step == Step::Sealed);
        let clocks = match known.filter(|_| is_sealed) {
            // It stands, so they do not change any more.
            None if is_sealed => Some(Arc::new(old.clocks(&own)?)),
            clocks => clocks,
        };
        self.following = Following { fences: self.follower.fences(positions), clocks };
        let behind = self.follower.behind(&self.following.fences)?;
        let next = match &state.handover {
            Some(handover) if handover.to == self.own && handover.step == Step::Requested => {
                self.seal(handover, state, behind, log)?
            }
            Some(handover) if handover.to == self.own && handover.step == Step::Sealed => {
                let all = names(&self.follower.partitions());
                let confirmed = state.confirmed_in(Step::Sealed).is_superset(&all);
                confirmed.then_some(Step::Promoted)
            }
            // Somebody else's, or over: ours may begin when we are close.
            Some(handover) if matches!(handover.step, Step::Requested | Step::Sealed) => None,
            _ => (behind <= self.pace.close && now.elapsed >= self.not_before).then_some(Step::Requested),
        };
        let late = self.is_late(state.handover.as_ref().filter(|handover| handover.to == self.own), now.elapsed);
        match next.or_else(|| late.then_some(Step::Aborted)) {
            Some(step) => self.write(step, state, log, now),
            None => Ok(()),
        }
    }

    /// The old generation, found anew when another one is in force.
    fn old(&mut self, state: &ControlState, log: &dyn Log) -> Result<Option<&mut Generation>, RunError> {
        let name = state.generation(&self.app);
        if self.old.as_ref().is_none_or(|old| old.name != name) {
            self.old = Generation::find(name, self.pace.patience, log)?;
            if let Some(old) = &self.old
                && let Some(input) = self.follower.live_inputs().find(|input| !old.inputs.contains(input))
            {
                return Err(RunError::NewInput { input: input.to_string(), from: name.to_owned() });
            }
        }
        Ok(self.old.as_mut())
    }

    /// Whether the old generation stands and the new one has done as much.
    fn seal(&mut self, handover: &Handover, state: &ControlState, behind: u64, log: &dyn Log) -> Result<Option<Step>, RunError> {
        let Some(old) = &mut self.old else { return Ok(None) };
        let confirmed = state.confirmed_in(Step::Requested).is_superset(&names(&old.inputs));
        // Where nobody runs there is nobody to confirm; who starts now sees the request first.
        if !confirmed && !log.admin()?.members(&handover.from)?.is_empty() {
            return Ok(None);
        }
        // In this order: what is drained stays so, and the positions that were looked at before may have moved until then.
        let reached = old.is_drained()? && {
            self.following.fences = self.follower.fences(old.positions()?);
            behind == 0 && self.follower.behind(&self.following.fences)? == 0
        };
        Ok((reached && self.follower.is_drained()?).then_some(Step::Sealed))
    }

    /// After an attempt that was given up, whoever did it, the old generation is left in peace for a while.
    fn rest(&mut self, handover: Option<&Handover>, now: Duration) {
        let given_up = handover.filter(|handover| handover.to == self.own && handover.step == Step::Aborted);
        let given_up = given_up.map(|handover| handover.attempt);
        if given_up.is_some() && given_up != self.given_up {
            (self.given_up, self.not_before) = (given_up, now + self.pace.again);
        }
    }

    fn is_late(&mut self, handover: Option<&Handover>, now: Duration) -> bool {
        let open = handover.filter(|handover| matches!(handover.step, Step::Requested | Step::Sealed));
        let Some(handover) = open else {
            self.since = None;
            return false;
        };
        let since = match self.since {
            Some((attempt, since)) if attempt == handover.attempt => since,
            _ => self.since.insert((handover.attempt, now)).1,
        };
        now.saturating_sub(since) > self.pace.limit
    }

    fn write(&mut self, step: Step, state: &ControlState, log: &dyn Log, now: Moment) -> Result<(), RunError> {
        let before = state.handover.as_ref();
        if step == Step::Requested {
            self.claim = None;
        }
        let next = match (step, before) {
            (Step::Requested, _) | (_, None) => {
                let from = self.old.as_ref().map(|old| old.name.clone()).unwrap_or_default();
                Handover { version: Handover::VERSION, attempt: now.wall, from, to: self.own.clone(), step }
            }
            (_, Some(before)) => Handover { step, ..before.clone() },
        };
        if advance((&self.app, log), &mut self.claim, state, &next, now.wall, self.pace.patience)? {
            tracing::info!(step = ?step, from = next.from, to = next.to, "hand-over");
        }
        Ok(())
    }
}
