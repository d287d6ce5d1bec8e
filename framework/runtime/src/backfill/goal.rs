//! Knowing that a run has reached its end, or was given up, while it is worked on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_core::bounded::{Completion, Progress, RunPhase};
use headwater_core::port::{Log, LogError, ReaderConfig};
use headwater_core::{Plan, TopicPartition};

use super::RunLook;
use crate::control::Control;
use crate::watch::{Next, Watch};
use crate::{Observer, RunError};

/// Between two looks at committed positions: a run that is done waits for the next one. More where they take long.
const LOOK: Duration = Duration::from_millis(50);
/// So many times as long as a look took, at least.
const PART: u32 = 10;
/// Between two reports to the observer.
const TELL: Duration = Duration::from_secs(1);
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

/// A run being watched.
pub(crate) struct Pursuit {
    watch: Watch,
    /// What this process has not committed to the end itself, as far as it knows.
    unfinished: Vec<(TopicPartition, i64)>,
}

impl Pursuit {
    /// How it ended, once it has. An error is told once.
    pub(crate) fn ended(&self) -> Result<Option<Ended>, RunError> {
        self.watch.ended()
    }

    /// Has the watch look at once when this process has committed all inputs to their ends. Where others have a part in the run it never does by
    /// itself, and the next look tells.
    pub(crate) fn committed(&mut self, positions: &BTreeMap<TopicPartition, i64>) {
        let before = self.unfinished.len();
        self.unfinished.retain(|(partition, end)| positions.get(partition).is_none_or(|position| position < end));
        if self.unfinished.is_empty() && before > 0 {
            self.watch.look_now();
        }
    }
}

/// Watches the run of this plan.
pub(crate) fn pursue(goal: Goal, plan: &Plan, log: &Arc<dyn Log>, observer: &Arc<dyn Observer>) -> Result<Pursuit, LogError> {
    let Some(completion) = Completion::of(plan) else { return Err(LogError::Fatal("the plan has no bounds".into())) };
    let unfinished = completion.ends().collect();
    let mut reader = log.reader(&ReaderConfig { group: plan.blueprint().app().to_owned(), read_uncommitted: false })?;
    let (log, observer) = (Arc::clone(log), Arc::clone(observer));
    let (started, mut asked, mut told, mut first) = (Instant::now(), Instant::now(), None::<Instant>, None);
    let watch = Watch::start("goal", LOOK, move || {
        let began = Instant::now();
        match completion.look_closely(reader.as_mut()) {
            Ok((progress, inputs)) => {
                (goal.tell)(progress);
                // A run that is resumed does not get its speed from what was done before.
                let first = *first.get_or_insert(progress.done);
                if progress.is_complete() || told.is_none_or(|told| told.elapsed() >= TELL) {
                    told = Some(Instant::now());
                    observer.bounded_run(&RunLook::of(progress, inputs, first, started.elapsed()));
                }
                if progress.is_complete() {
                    return Ok(Next::Ended(Ended::Complete));
                }
            }
            // Workers see the same trouble, and say so.
            Err(LogError::Retriable(_) | LogError::Unreachable { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        if asked.elapsed() >= ASK {
            asked = Instant::now();
            // What cannot be read now is asked again.
            let state = Control::of(&goal.app, &goal.control, log.as_ref()).read(ASK).ok().flatten().unwrap_or_default();
            if state.runs.get(&goal.id).is_some_and(|run| run.phase == RunPhase::Cancelled) {
                return Ok(Next::Ended(Ended::Cancelled));
            }
        }
        Ok(Next::After(LOOK.max(began.elapsed() * PART)))
    })?;
    Ok(Pursuit { watch, unfinished })
}
