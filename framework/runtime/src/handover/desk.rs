use std::sync::Arc;
use std::time::Duration;

use headwater_core::bounded::{RunPhase, RunRecord};
use headwater_core::engine::{Hold, Posture};
use headwater_core::handover::{Duty, Handover, Side, Step};
use headwater_core::port::{Log, ReaderConfig};
use headwater_core::{Plan, Timestamp};

use super::confirm::{Confirmer, advance};
use super::lead::Leader;
use super::{Moment, Pace, Seat, Stance};
use crate::RunError;
use crate::backfill::Ended;
use crate::control::Tail;

/// Attends to hand-overs for one process. It has no thread and no clock: somebody calls it, again and again, with the time.
pub struct Desk {
    seat: Seat,
    /// Which side it is on by what is in force.
    side: Side,
    own: String,
    who: String,
    stance: Arc<Stance>,
    log: Arc<dyn Log>,
    pace: Pace,
    tail: Tail,
    leader: Option<Leader>,
    confirmer: Confirmer,
    /// For which attempt at a cut the old generation stands, and since when: each has the whole lease.
    held_since: Option<(Timestamp, Duration)>,
    /// Whether a cut was asked for: then everybody is waited for.
    is_under_way: bool,
}

impl Desk {
    /// The desk of process `who`, which runs this plan; its workers go by `stance`.
    ///
    /// # Errors
    /// The log failed.
    pub fn open(
        seat: &Seat,
        plan: &Plan,
        who: &str,
        stance: &Arc<Stance>,
        log: &Arc<dyn Log>,
        pace: Pace,
    ) -> Result<Desk, RunError> {
        let leader = match seat.side {
            Side::Old => None,
            Side::New { .. } => Some(Leader::new(&seat.app, plan, log.as_ref(), pace)?),
        };
        let reader = log.reader(&ReaderConfig { group: seat.app.clone(), read_uncommitted: false })?;
        Ok(Desk {
            seat: seat.clone(),
            side: seat.side.clone(),
            own: plan.blueprint().app().to_owned(),
            who: who.to_owned(),
            stance: Arc::clone(stance),
            log: Arc::clone(log),
            pace,
            tail: Tail::of(&headwater_core::control_topic(&seat.app).into(), reader),
            leader,
            confirmer: Confirmer::default(),
            held_since: None,
            is_under_way: false,
        })
    }

    /// Whether a cut was asked for: then the next round should come soon.
    pub fn is_under_way(&self) -> bool {
        self.is_under_way
    }

    /// Sees what there is, and has the workers work accordingly. To be called before any task is started, so that it begins under the newest record.
    ///
    /// # Errors
    /// The control topic cannot be read now, or not by this version.
    pub fn look(&mut self) -> Result<Duty, RunError> {
        let state = self.tail.look(self.pace.patience)?;
        let following = self.leader.as_ref().map(|leader| leader.following().clone()).unwrap_or_default();
        // A generation that has taken over is the one the next takes over from.
        let is_in_force = state.generation(&self.seat.app) == self.own;
        self.side = if is_in_force { Side::Old } else { self.seat.side.clone() };
        let duty = Handover::duty(state.handover.as_ref(), &self.own, &self.side, &following);
        let under_way = |handover: &Handover| matches!(handover.step, Step::Requested | Step::Sealed);
        self.is_under_way = state.handover.as_ref().is_some_and(under_way);
        match &duty {
            Duty::Work { posture, .. } => self.stance.set_posture(posture),
            // Tasks may be on their way here from others that stopped before: they process nothing, and say nothing.
            Duty::Retire { .. } => self.stance.set_posture(&over()),
        }
        Ok(duty)
    }

    /// One round: leads, if this is a new generation; does what follows; confirms. Answers how it ended, once another generation has taken
    /// over, or this one was given up before it did.
    ///
    /// # Errors
    /// Those that pass ([`RunError::is_passing`]) leave everybody as they are until the next round.
    pub fn attend(&mut self, now: Moment) -> Result<Option<Ended>, RunError> {
        let log = Arc::clone(&self.log);
        let mut duty = self.look()?;
        // Before it leads: what was given up must not take over.
        if self.is_cancelled() {
            return Ok(Some(Ended::Cancelled));
        }
        if let (Duty::Work { .. }, Some(leader)) = (&duty, &mut self.leader) {
            leader.step(self.tail.state(), log.as_ref(), now)?;
            // It may have taken a step, and knows more than before.
            duty = self.look()?;
        }
        let Duty::Work { posture, confirm } = duty else {
            tracing::info!(own = self.own, "another generation has taken over");
            return Ok(Some(Ended::HandedOver));
        };
        let held = self.side == Side::Old && posture.hold != Hold::Nothing;
        let attempt = self.tail.state().handover.as_ref().filter(|_| held).map(|handover| handover.attempt);
        let known = self.held_since.filter(|(known, _)| Some(*known) == attempt);
        self.held_since = known.or_else(|| Some((attempt?, now.elapsed)));
        if self.is_followed() {
            self.confirmer.get_ready(&self.seat.app, log.as_ref())?;
        }
        let state = self.tail.state();
        let Some(handover) = &state.handover else { return Ok(None) };
        if self.held_since.is_some_and(|(_, since)| now.elapsed.saturating_sub(since) > self.pace.lease) {
            tracing::warn!(to = handover.to, "the hand-over does not go on; it is given up");
            let given_up = Handover { step: Step::Aborted, ..handover.clone() };
            advance((&self.seat.app, log.as_ref()), &mut None, state, &given_up, now.wall, self.pace.patience)?;
            return Ok(None);
        }
        if let Some(step) = confirm {
            let names = (self.seat.app.as_str(), self.who.as_str());
            self.confirmer.confirm((handover, step), names, &self.stance, log.as_ref(), now.wall)?;
        }
        Ok(None)
    }

    /// Whether a generation is on its way that will take over, or this is it.
    fn is_followed(&self) -> bool {
        let to_come = |run: &RunRecord| run.then_live && run.phase == RunPhase::Planned;
        self.tail.state().runs.values().any(to_come)
    }

    /// Whether somebody gave this generation up before it took over.
    fn is_cancelled(&self) -> bool {
        let state = self.tail.state();
        let run = state.runs.values().find(|run| run.app == self.own);
        state.generation(&self.seat.app) != self.own && run.is_some_and(|run| run.phase == RunPhase::Cancelled)
    }
}

/// The posture of a generation that another one has taken over from.
fn over() -> Posture {
    Posture { hold: Hold::Everything, silent: true, follows: true, ..Posture::default() }
}
