//! The new generation's part: it follows, asks for a cut when it is close, and takes over when all is confirmed. Any number of its processes
//! may do this at the same time: each step is written once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use headwater_core::bounded::{RunPhase, RunRecord};
use headwater_core::engine::Clocks;
use headwater_core::handover::{Following, Handover, Step};
use headwater_core::port::{Log, LogError};
use headwater_core::{ControlState, Plan, Timestamp, TopicPartition};

use super::confirm::advance;
use super::generation::{Generation, Reached};
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
    /// The least that was seen on its way in the new generation since it is close, and when that was.
    least: Option<(u64, Duration)>,
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
            least: None,
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
        let own = self.own.clone();
        let Some(old) = self.old(state, log)? else { return Ok(()) };
        let Reached { positions, clocks } = old.look(&own)?;
        self.follow(state, self.follower.fences(positions), Arc::new(clocks));
        let behind = self.follower.behind(&self.following.fences)?;
        let ours = state.handover.as_ref().filter(|handover| handover.to == self.own);
        let next = match (ours, &state.handover) {
            (Some(ours), _) if ours.step == Step::Requested => self.seal(ours, state, behind, log)?,
            (Some(ours), _) if ours.step == Step::Sealed => self.promote(ours, state, log)?,
            // Somebody else's, or over: ours may begin when we are close.
            (_, Some(handover)) if matches!(handover.step, Step::Requested | Step::Sealed) => None,
            _ => self.is_close(behind, now.elapsed)?.then(|| self.request(now)),
        };
        let late = self.is_late(ours, now.elapsed).then_some(ours).flatten();
        match next.or_else(|| Some(Handover { step: Step::Aborted, ..late?.clone() })) {
            Some(next) => self.write(&next, state, log, now),
            None => Ok(()),
        }
    }

    /// Whether a cut would be reached in a moment. What the new generation has on its way through its repartition topics counts, too: after all of history
    /// that can be a lot. But where it does not get less any more it is what always is on its way.
    fn is_close(&mut self, behind: u64, now: Duration) -> Result<bool, LogError> {
        if behind > self.pace.close || now < self.not_before {
            self.least = None;
            return Ok(false);
        }
        let left = self.follower.on_its_way()?;
        let (least, since) = *self.least.get_or_insert((left, now));
        if left < least - least / 10 {
            self.least = Some((left, now));
        }
        Ok(behind + left <= self.pace.close || now.saturating_sub(since) >= self.pace.steady)
    }

    fn request(&self, now: Moment) -> Handover {
        let from = self.old.as_ref().map(|old| old.name.clone()).unwrap_or_default();
        let (version, attempt, to) = (Handover::VERSION, now.wall, self.own.clone());
        Handover { version, attempt, from, to, step: Step::Requested, unattended: false }
    }

    /// Takes down what the old generation has come to. Once the cut is sealed it stands, so that what it knows of event time then holds for the attempt.
    fn follow(&mut self, state: &ControlState, fences: Arc<BTreeMap<TopicPartition, i64>>, limits: Clocks) {
        let sealed = state.handover.as_ref().filter(|handover| handover.to == self.own && handover.step == Step::Sealed);
        let attempt = sealed.map(|handover| handover.attempt);
        let known = self.following.clocks.take().filter(|(known, _)| Some(*known) == attempt);
        let clocks = known.or_else(|| Some((attempt?, Arc::clone(&limits))));
        self.following = Following { fences, limits: Some(limits), clocks };
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
    fn seal(
        &mut self,
        handover: &Handover,
        state: &ControlState,
        behind: u64,
        log: &dyn Log,
    ) -> Result<Option<Handover>, RunError> {
        let Some(old) = &mut self.old else { return Ok(None) };
        // Where nobody runs there is nobody to confirm; who starts now sees the request first.
        let unattended = !old.has_confirmed(Step::Requested, state);
        if unattended && old.is_attended(log)? {
            return Ok(None);
        }
        // In this order: what is drained stays so, and the positions that were looked at before may have moved until then.
        let reached = old.is_drained()? && {
            self.following.fences = self.follower.fences(old.positions()?);
            behind == 0 && self.follower.behind(&self.following.fences)? == 0
        };
        let is_sealed = reached && self.follower.is_drained()?;
        Ok(is_sealed.then(|| Handover { step: Step::Sealed, unattended, ..handover.clone() }))
    }

    /// Once all of the new generation stands it takes over, unless the old one has gone on. Only one that nobody had confirmed can: somebody may have
    /// started it just before the cut was sealed.
    fn promote(&mut self, handover: &Handover, state: &ControlState, log: &dyn Log) -> Result<Option<Handover>, RunError> {
        let Some(old) = self.old.as_ref().filter(|_| self.follower.has_confirmed(Step::Sealed, state)) else { return Ok(None) };
        let has_moved = self.following.limits.as_ref() != self.following.clocks.as_ref().map(|(_, clocks)| clocks);
        let step = if has_moved || (handover.unattended && old.is_attended(log)?) { Step::Aborted } else { Step::Promoted };
        Ok(Some(Handover { step, ..handover.clone() }))
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

    fn write(&mut self, next: &Handover, state: &ControlState, log: &dyn Log, now: Moment) -> Result<(), RunError> {
        if next.step == Step::Requested {
            self.claim = None;
        }
        if advance((&self.app, log), &mut self.claim, state, next, now.wall, self.pace.patience)? {
            tracing::info!(step = ?next.step, from = next.from, to = next.to, "hand-over");
        }
        Ok(())
    }
}
