use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use headwater_core::Plan;
use headwater_core::bounded::{RunPhase, RunRecord};
use headwater_core::engine::Hold;
use headwater_core::handover::{Duty, Handover, Side, Step};
use headwater_core::port::{Log, LogError, ReaderConfig};

use super::Seat;
use super::confirm::{Confirmer, advance};
use super::lead::Leader;
use crate::RunError;
use crate::backfill::Ended;
use crate::clock::wall_clock;
use crate::control::Tail;
use crate::watch::{Next, Watch};
use crate::worker_thread::Shared;

/// Between two looks at the control topic.
const LOOK: Duration = Duration::from_millis(100);
/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a look of the thread's own is waited for.
const BUSY: Duration = Duration::from_millis(500);
/// How long the old generation stands for a cut before it gives up on it and goes on.
const LEASE: Duration = Duration::from_secs(30);

/// Attends to hand-overs on a thread of its own, so that the group is served meanwhile.
pub(crate) struct Attendance {
    desk: Arc<Mutex<Desk>>,
    watch: Watch,
}

struct Desk {
    seat: Seat,
    /// Which side it is on by what is in force.
    side: Side,
    own: String,
    who: String,
    inputs: BTreeSet<String>,
    shared: Arc<Shared>,
    log: Arc<dyn Log>,
    tail: Tail,
    leader: Option<Leader>,
    confirmer: Confirmer,
    held_since: Option<Instant>,
    /// Whether a cut was asked for: then everybody is waited for.
    is_under_way: bool,
}

impl Attendance {
    /// Looks once, so that workers begin as they must, and goes on looking until it is dropped.
    pub(crate) fn start(
        seat: &Seat,
        plan: &Plan,
        who: &str,
        shared: &Arc<Shared>,
        log: &Arc<dyn Log>,
    ) -> Result<Attendance, RunError> {
        let leader = match seat.side {
            Side::Old => None,
            Side::New { .. } => Some(Leader::new(&seat.app, plan, log.as_ref())?),
        };
        let reader = log.reader(&ReaderConfig { group: seat.app.clone(), read_uncommitted: false })?;
        let desk = Desk {
            seat: seat.clone(),
            side: seat.side.clone(),
            own: plan.blueprint().app().to_owned(),
            who: who.to_owned(),
            inputs: plan.blueprint().input_topics().into_iter().collect(),
            shared: Arc::clone(shared),
            log: Arc::clone(log),
            tail: Tail::of(&headwater_core::control_topic(&seat.app).into(), reader),
            leader,
            confirmer: Confirmer::default(),
            held_since: None,
            is_under_way: false,
        };
        let desk = Arc::new(Mutex::new(desk));
        // No task starts before a look has succeeded: where the cluster is away that comes later.
        match lock(&desk).look() {
            Err(error) if !is_passing(&error) => return Err(error),
            _ => {}
        }
        let attended = Arc::clone(&desk);
        let watch = Watch::start("handover", LOOK, move || {
            let mut desk = lock(&attended);
            match desk.attend() {
                Ok(Some(ended)) => return Ok(Next::Ended(ended)),
                Ok(None) => {}
                // The cluster is away, or another process writes: everybody stays as they are.
                Err(error) if is_passing(&error) => tracing::debug!(%error, "looking at hand-overs"),
                Err(error) => return Err(error),
            }
            Ok(Next::After(if desk.is_under_way { LOOK / 5 } else { LOOK }))
        })?;
        Ok(Attendance { desk, watch })
    }

    /// Looks now: before a task is started, so that it begins under the posture of the newest record.
    ///
    /// # Errors
    /// [`LogError::Retriable`] while the thread is busy with a cluster that does not answer: the group must not wait for that.
    pub(crate) fn look(&self) -> Result<(), RunError> {
        let began = Instant::now();
        loop {
            match self.desk.try_lock() {
                Ok(mut desk) => return desk.look().map(drop),
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner().look().map(drop),
                Err(TryLockError::WouldBlock) if began.elapsed() < BUSY => std::thread::yield_now(),
                Err(TryLockError::WouldBlock) => {
                    return Err(LogError::Retriable("the control topic does not answer".into()).into());
                }
            }
        }
    }

    /// How it ended, once another generation has taken over, or this one was given up before it did.
    pub(crate) fn ended(&self) -> Result<Option<Ended>, RunError> {
        self.watch.ended()
    }
}

impl Desk {
    /// Sees what there is, and works accordingly.
    fn look(&mut self) -> Result<Duty, RunError> {
        let state = self.tail.look(PATIENCE)?;
        let following = self.leader.as_ref().map(|leader| leader.following().clone()).unwrap_or_default();
        // A generation that has taken over is the one the next takes over from.
        let is_in_force = state.generation(&self.seat.app) == self.own;
        self.side = if is_in_force { Side::Old } else { self.seat.side.clone() };
        let duty = Handover::duty(state.handover.as_ref(), &self.own, &self.side, &following);
        let under_way = |handover: &Handover| matches!(handover.step, Step::Requested | Step::Sealed);
        self.is_under_way = state.handover.as_ref().is_some_and(under_way);
        if let Duty::Work { posture, .. } = &duty {
            self.shared.set_posture(posture);
        }
        Ok(duty)
    }

    /// One round: leads, if this is a new generation; does what follows; confirms.
    fn attend(&mut self) -> Result<Option<Ended>, RunError> {
        let log = Arc::clone(&self.log);
        let mut duty = self.look()?;
        if let (Duty::Work { .. }, Some(leader)) = (&duty, &mut self.leader) {
            leader.step(self.tail.state(), log.as_ref(), wall_clock())?;
            // It may have taken a step, and knows more than before.
            duty = self.look()?;
        }
        let Duty::Work { posture, confirm } = duty else {
            tracing::info!(own = self.own, "another generation has taken over");
            return Ok(Some(Ended::HandedOver));
        };
        let held = self.side == Side::Old && posture.hold != Hold::Nothing;
        self.held_since = held.then(|| self.held_since.unwrap_or_else(Instant::now));
        if self.is_cancelled() {
            return Ok(Some(Ended::Cancelled));
        }
        if self.is_followed() {
            self.confirmer.get_ready(&self.seat.app, log.as_ref())?;
        }
        let state = self.tail.state();
        let Some(handover) = &state.handover else { return Ok(None) };
        if self.held_since.is_some_and(|since| since.elapsed() > LEASE) {
            tracing::warn!(to = handover.to, "the hand-over does not go on; it is given up");
            let given_up = Handover { step: Step::Aborted, ..handover.clone() };
            advance(&self.seat.app, log.as_ref(), &mut None, state, &given_up)?;
            return Ok(None);
        }
        if let Some(step) = confirm {
            let names = (self.seat.app.as_str(), self.who.as_str());
            self.confirmer.confirm((handover, step), names, &self.side, &self.inputs, &self.shared, log.as_ref())?;
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

fn is_passing(error: &RunError) -> bool {
    matches!(
        error,
        RunError::Log(
            LogError::Retriable(_) | LogError::Unreachable { .. } | LogError::Fenced(_) | LogError::AbortTransaction(_)
        )
    )
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
