use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use headwater_core::Plan;
use headwater_core::port::{Log, LogError};

use super::{Desk, Moment, Pace, Seat, Stance};
use crate::RunError;
use crate::backfill::Ended;
use crate::clock::wall_clock;
use crate::watch::{Next, Watch};

/// Between two looks at the control topic.
const LOOK: Duration = Duration::from_millis(100);
/// How long a look of the thread's own is waited for.
const BUSY: Duration = Duration::from_millis(500);

/// A [`Desk`] on a thread of its own, so that the group is served meanwhile.
pub(crate) struct Attendance {
    desk: Arc<Mutex<Desk>>,
    watch: Watch,
}

impl Attendance {
    /// Looks once, so that workers begin as they must, and goes on looking until it is dropped.
    pub(crate) fn start(
        seat: &Seat,
        plan: &Plan,
        who: &str,
        stance: &Arc<Stance>,
        log: &Arc<dyn Log>,
    ) -> Result<Attendance, RunError> {
        let desk = Arc::new(Mutex::new(Desk::open(seat, plan, who, stance, log, Pace::default())?));
        // No task starts before a look has succeeded: where the cluster is away that comes later.
        match lock(&desk).look() {
            Err(error) if !error.is_passing() => return Err(error),
            _ => {}
        }
        let (attended, began) = (Arc::clone(&desk), Instant::now());
        let watch = Watch::start("handover", LOOK, move || {
            let mut desk = lock(&attended);
            match desk.attend(Moment { elapsed: began.elapsed(), wall: wall_clock() }) {
                Ok(Some(ended)) => return Ok(Next::Ended(ended)),
                Ok(None) => {}
                // The cluster is away, or another process writes: everybody stays as they are.
                Err(error) if error.is_passing() => tracing::debug!(%error, "looking at hand-overs"),
                Err(error) => return Err(error),
            }
            Ok(Next::After(if desk.is_under_way() { LOOK / 5 } else { LOOK }))
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

fn lock(desk: &Mutex<Desk>) -> std::sync::MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}
