use std::collections::BTreeSet;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant, SystemTime};

use headwater_core::bounded::{RunPhase, RunRecord};
use headwater_core::handover::{Duty, Handover, Side, Step};
use headwater_core::port::{Log, LogError};
use headwater_core::{Plan, Timestamp};

use super::Seat;
use super::confirm::{Confirmer, advance};
use super::lead::Leader;
use super::tail::Tail;
use crate::RunError;
use crate::backfill::Ended;
use crate::worker_thread::Shared;

/// Between two looks at the control topic.
const LOOK: Duration = Duration::from_millis(100);
/// How long a look of the thread's own is waited for.
const BUSY: Duration = Duration::from_millis(500);
/// How long the old generation stands for a cut before it gives up on it and goes on.
const LEASE: Duration = Duration::from_secs(30);

/// Attends to hand-overs on a thread of its own, so that the group is served meanwhile.
pub(crate) struct Attendance {
    desk: Arc<Mutex<Desk>>,
    seen: Arc<Mutex<Seen>>,
    _keep: Sender<()>,
}

#[derive(Debug, Default)]
struct Seen {
    ended: Option<Ended>,
    failed: Option<RunError>,
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
        let desk = Desk {
            seat: seat.clone(),
            side: seat.side.clone(),
            own: plan.blueprint().app().to_owned(),
            who: who.to_owned(),
            inputs: plan.blueprint().input_topics().into_iter().collect(),
            shared: Arc::clone(shared),
            log: Arc::clone(log),
            tail: Tail::of(&seat.app, log.as_ref())?,
            leader,
            confirmer: Confirmer::default(),
            held_since: None,
            is_under_way: false,
        };
        let (desk, seen) = (Arc::new(Mutex::new(desk)), Arc::new(Mutex::new(Seen::default())));
        let (keep, stopped) = channel::<()>();
        let attendance = Attendance { desk: Arc::clone(&desk), seen: Arc::clone(&seen), _keep: keep };
        // No task starts before a look has succeeded: where the cluster is away that comes later.
        match attendance.look() {
            Err(error) if !is_passing(&error) => return Err(error),
            _ => {}
        }
        let attend = move || {
            let mut pause = LOOK;
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let mut desk = lock(&desk);
                let looked = desk.attend();
                pause = if desk.is_under_way { LOOK / 5 } else { LOOK };
                drop(desk);
                let mut seen = lock(&seen);
                match looked {
                    Ok(ended) => seen.ended = ended,
                    // The cluster is away, or another process writes: everybody stays as they are.
                    Err(error) if is_passing(&error) => tracing::debug!(%error, "looking at hand-overs"),
                    Err(error) => seen.failed = Some(error),
                }
                if seen.ended.is_some() || seen.failed.is_some() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("handover".into()).spawn(attend);
        thread.map_err(|error| LogError::Fatal(format!("no thread to attend to hand-overs: {error}")))?;
        Ok(attendance)
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
        let mut seen = lock(&self.seen);
        match seen.failed.take() {
            Some(error) => Err(error),
            None => Ok(seen.ended),
        }
    }
}

impl Desk {
    /// Sees what there is, and works accordingly.
    fn look(&mut self) -> Result<(Duty, Option<Handover>), RunError> {
        let state = self.tail.look()?;
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
        Ok((duty, state.handover.clone()))
    }

    /// One round: leads, if this is a new generation; does what follows; confirms.
    fn attend(&mut self) -> Result<Option<Ended>, RunError> {
        let log = Arc::clone(&self.log);
        if matches!(self.look()?.0, Duty::Retire { .. }) {
            tracing::info!(own = self.own, "another generation has taken over");
            return Ok(Some(Ended::HandedOver));
        }
        if let Some(leader) = &mut self.leader {
            leader.step(self.tail.look()?, log.as_ref(), now())?;
        }
        let (duty, handover) = self.look()?;
        let confirm = match duty {
            // Seen in the next round.
            Duty::Retire { .. } => None,
            Duty::Work { confirm, posture } => {
                let held = self.side == Side::Old && posture.hold != headwater_core::engine::Hold::Nothing;
                self.held_since = held.then(|| self.held_since.unwrap_or_else(Instant::now));
                confirm
            }
        };
        if self.is_cancelled()? {
            return Ok(Some(Ended::Cancelled));
        }
        if self.is_followed()? {
            self.confirmer.get_ready(&self.seat.app, log.as_ref())?;
        }
        let Some(handover) = handover else { return Ok(None) };
        if self.held_since.is_some_and(|since| since.elapsed() > LEASE) {
            tracing::warn!(to = handover.to, "the hand-over does not go on; it is given up");
            let state = self.tail.look()?;
            advance(&self.seat.app, log.as_ref(), &mut None, state, &Handover { step: Step::Aborted, ..handover })?;
            return Ok(None);
        }
        if let Some(step) = confirm {
            let names = (self.seat.app.as_str(), self.who.as_str());
            self.confirmer.confirm((&handover, step), names, &self.side, &self.inputs, &self.shared, log.as_ref())?;
        }
        Ok(None)
    }
}

impl Desk {
    /// Whether a generation is on its way that will take over, or this is it.
    fn is_followed(&mut self) -> Result<bool, RunError> {
        let to_come = |run: &RunRecord| run.then_live && run.phase == RunPhase::Planned;
        Ok(self.tail.look()?.runs.values().any(to_come))
    }

    /// Whether somebody gave this generation up before it took over.
    fn is_cancelled(&mut self) -> Result<bool, RunError> {
        let state = self.tail.look()?;
        let run = state.runs.values().find(|run| run.app == self.own);
        Ok(state.generation(&self.seat.app) != self.own && run.is_some_and(|run| run.phase == RunPhase::Cancelled))
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

#[expect(clippy::disallowed_methods, reason = "the shell is where the clock is asked")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::from_millis(since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}
