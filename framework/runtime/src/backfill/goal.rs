//! Knowing that a run has reached its end, or was given up, while it is worked on.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use headwater_core::Plan;
use headwater_core::bounded::{Completion, Progress, RunPhase};
use headwater_core::port::{Log, LogError, ReaderConfig};

use crate::control::Control;

/// Between two looks at committed positions.
const LOOK: Duration = Duration::from_millis(200);
/// Between two looks at the control topic.
const ASK: Duration = Duration::from_secs(3);

/// How work on a bounded run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything is read and committed, whoever did it.
    Complete,
    /// Somebody gave the run up.
    Cancelled,
    /// This process was asked to stop; the run can be resumed.
    Stopped,
    /// Another generation of the application has taken over.
    HandedOver,
}

/// What a process of a bounded run works towards.
pub struct Goal {
    /// The application whose control topic has the run's record.
    pub app: String,
    /// That topic.
    pub control: String,
    /// The run.
    pub id: String,
    /// Told now and then how far it is.
    pub tell: Box<dyn Fn(Progress) + Send>,
}

#[derive(Debug, Default)]
struct Seen {
    ended: Option<Ended>,
    failed: Option<LogError>,
}

/// Looks on a thread of its own: asking for positions waits for open transactions, and the group must be served meanwhile.
pub(crate) struct GoalWatch {
    seen: Arc<Mutex<Seen>>,
    _keep: Sender<()>,
}

impl GoalWatch {
    pub(crate) fn start(goal: Goal, plan: &Plan, log: &Arc<dyn Log>) -> Result<GoalWatch, LogError> {
        let Some(completion) = Completion::of(plan) else { return Err(LogError::Fatal("the plan has no bounds".into())) };
        let mut reader = log.reader(&ReaderConfig { group: plan.blueprint().app().to_owned(), read_uncommitted: false })?;
        let (keep, stopped) = channel::<()>();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (log, found) = (Arc::clone(log), Arc::clone(&seen));
        let look = move || {
            let mut asked = Instant::now();
            while stopped.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                let note = |seen: &dyn Fn(&mut Seen)| seen(&mut found.lock().unwrap_or_else(PoisonError::into_inner));
                match completion.look(reader.as_mut()) {
                    Ok(progress) => {
                        (goal.tell)(progress);
                        if progress.is_complete() {
                            return note(&|seen| seen.ended = Some(Ended::Complete));
                        }
                    }
                    // Workers see the same trouble, and say so.
                    Err(LogError::Retriable(_) | LogError::Unreachable { .. }) => {}
                    Err(error) => return note(&|seen| seen.failed = Some(error.clone())),
                }
                if asked.elapsed() >= ASK {
                    asked = Instant::now();
                    // What cannot be read now is asked again.
                    let state = Control::of(&goal.app, &goal.control, log.as_ref()).read(ASK).ok().flatten().unwrap_or_default();
                    if state.runs.get(&goal.id).is_some_and(|run| run.phase == RunPhase::Cancelled) {
                        return note(&|seen| seen.ended = Some(Ended::Cancelled));
                    }
                }
            }
        };
        let thread = std::thread::Builder::new().name("goal".into()).spawn(look);
        thread.map_err(|error| LogError::Fatal(format!("no thread to watch the run: {error}")))?;
        Ok(GoalWatch { seen, _keep: keep })
    }

    /// How it ended, once it has.
    pub(crate) fn ended(&self) -> Result<Option<Ended>, LogError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.failed.take() {
            Some(error) => Err(error),
            None => Ok(seen.ended),
        }
    }
}
