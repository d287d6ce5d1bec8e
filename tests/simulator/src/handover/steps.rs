//! How far the hand-over is, as the control topic tells it.

use std::time::Duration;

use headwater_core::ControlState;
use headwater_core::bounded::RunPhase;
use headwater_core::handover::Step;
use headwater_runtime::backfill::Registry;
use headwater_runtime::handover::check_generation;

use super::{Generation, ID, NEXT, Terms};
use crate::cases::APP;
use crate::mark::Mark;
use crate::ports::Facts;
use crate::world::World;

impl World {
    /// The generation that a process runs.
    pub fn generation_of(&self, process: usize) -> &Generation {
        &self.generations[usize::from(process >= self.setup.processes)]
    }

    pub fn app_of(&self, process: usize) -> &str {
        &self.generation_of(process).facts.app
    }

    /// Of the generation that speaks.
    pub fn facts_in_force(&self) -> &Facts {
        if self.setup.handover.is_none() {
            return &self.facts;
        }
        let next = self.told(|state| state.generation(APP) == NEXT).unwrap_or_default();
        &self.generations[usize::from(next)].facts
    }

    /// What the control topic tells; none where nothing is handed over.
    fn told<R>(&self, tell: impl FnOnce(&ControlState) -> R) -> Option<R> {
        self.control.lock().turns.as_mut().map(|turns| tell(turns.look(&self.log)))
    }

    fn is_cancelled(&self) -> bool {
        self.told(|state| state.runs.values().any(|run| run.phase == RunPhase::Cancelled)).unwrap_or_default()
    }

    /// Whether a process may be started: its generation is in force or to come.
    pub fn may_run(&self, number: usize) -> bool {
        if self.setup.handover.is_none() {
            return true;
        }
        let facts = &self.generation_of(number).facts;
        if facts.generation == 1 && self.is_cancelled() {
            return false;
        }
        check_generation(&self.seat_of(number), &facts.app, None, Duration::ZERO, &self.log).is_ok()
    }

    /// Starts a process of each generation that is not over and has none.
    pub fn start_what_is_missing(&self) {
        let starts = std::iter::once(0).chain(self.setup.handover.map(|_| self.setup.processes));
        for (first, next) in starts.zip([self.setup.processes, self.slots.len()]) {
            if self.running_among(first..next) == 0 {
                self.start(first);
            }
        }
    }

    /// Whether the hand-over is over, one way or the other; true where there is none.
    pub fn is_settled(&self) -> bool {
        let cut = |state: &ControlState| {
            state.handover.as_ref().is_some_and(|handover| matches!(handover.step, Step::Requested | Step::Sealed))
        };
        let settled = self.told(|state| (state.generation(APP) == NEXT, cut(state)));
        settled.is_none_or(|(taken_over, cut)| taken_over || (self.is_cancelled() && !cut))
    }

    /// Notes the step the hand-over has come to, if that is new.
    pub fn note_steps(&self) {
        let cancelled = self.is_cancelled();
        let Some(Some(handover)) = self.told(|state| state.handover.clone()) else { return };
        let mut control = self.control.lock();
        if control.step == Some((handover.attempt, handover.step)) {
            return;
        }
        let before = control.step.replace((handover.attempt, handover.step));
        control.progress += 1;
        control.attempts += u64::from(before.is_none_or(|(attempt, _)| attempt != handover.attempt));
        let attempts = control.attempts;
        control.mark(match handover.step {
            Step::Requested => Mark::HandoverRequested,
            Step::Sealed => Mark::HandoverSealed,
            Step::Promoted => Mark::HandoverPromoted,
            Step::Aborted => Mark::HandoverAborted,
        });
        let promoted = handover.step == Step::Promoted;
        let unfed = self.fed.get() < self.items.len();
        control.mark_if(promoted && attempts > 1, Mark::HandoverAgain);
        control.mark_if(promoted && unfed, Mark::HandoverLate);
        control.line(|| (None, None, "hand-over", String::new(), None, format!("{:?} {}", handover.step, handover.to)));
        if cancelled && promoted {
            control.violate("cancelled", String::from("a generation that was given up has taken over"));
        }
    }

    /// Marks what happens while a cut is under way.
    pub fn mark_cut(&self, mark: Mark) {
        let mut control = self.control.lock();
        let under_way = control.step.is_some_and(|(_, step)| matches!(step, Step::Requested | Step::Sealed));
        control.mark_if(under_way, mark);
    }

    /// Now and then time passes or somebody gives up; mostly the desk of a process has its turn, or every one.
    pub fn act_on_handover(&self, terms: Terms, process: usize, number: u64) {
        match number % 256 {
            0..6 => self.let_time_pass(number >> 8),
            6..10 if terms.cancels => self.cancel(),
            10..130 => self.attend(process),
            _ => self.attend_all(),
        }
    }

    /// Time in which nobody does anything: cuts become late.
    fn let_time_pass(&self, number: u64) {
        let seconds = 5 + number % 31;
        self.line(None, "time passes", || format!("{seconds} s"));
        self.control.lock().now += Duration::from_secs(seconds);
    }

    /// Somebody gives the second generation up, if it has not taken over.
    fn cancel(&self) {
        let blueprint = self.plan.blueprint();
        if !self.is_settled() && Registry::of(blueprint, &self.log).end(ID, RunPhase::Cancelled).is_ok() {
            self.line(None, "cancelled", || NEXT.to_owned());
            self.control.lock().mark(Mark::HandoverCancelled);
        }
    }
}
