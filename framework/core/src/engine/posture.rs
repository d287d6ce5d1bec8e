//! How a worker stands towards a hand-over: what of its inputs it may process for now, and whether its results are heard.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::blueprint::TaskId;
use crate::record::TopicPartition;
use crate::time::Timestamp;
use crate::topology::SourceRole;

use super::error::EngineError;
use super::worker::{Stage, Worker};
use crate::task::{InputQueue, Task};

/// What is known of event time at partitions, as it is committed beside their positions; by a new generation's names for them.
pub type Clocks = Arc<BTreeMap<TopicPartition, String>>;

/// Which inputs stay where they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hold {
    /// None.
    #[default]
    Nothing,
    /// Those that come from outside: what is on its way through repartition topics goes on.
    Inputs,
    /// All.
    Everything,
}

/// What a worker may do. The default is that of a run that nobody takes over: everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Posture {
    /// Inputs that are held where they are.
    pub hold: Hold,
    /// Under which attempt at a hand-over, if a cut was asked for: somebody waits for what is left. Where inputs are held everything is committed anew under each, which
    /// proves that it is still this worker's.
    pub attempt: Option<Timestamp>,
    /// For an input from outside, the first offset that is not processed for now. With it, an input that is not named is not processed at all.
    pub fences: Option<Arc<BTreeMap<TopicPartition, i64>>>,
    /// How far event time may come for now: not past the times in these of the task that reads the same partitions. A task that reads none of them has no
    /// limit.
    pub limits: Option<Clocks>,
    /// What inputs know of event time, as committed with their positions by who has processed exactly as much: event time goes on from there.
    pub clocks: Option<Clocks>,
    /// Whether results, deliveries and dead letters are left out. State, changelogs and repartition topics are written all the same.
    pub silent: bool,
    /// Whether another generation is in force, so that all of this is a replay: sinks that declare
    /// [`ReplayEffect::Forbidden`](crate::ReplayEffect::Forbidden) get nothing.
    pub follows: bool,
}

impl Worker {
    /// Takes a posture. What is being processed when it changes is finished under the new one.
    ///
    /// # Errors
    /// The state on disk failed while timers fired.
    pub fn set_posture(&mut self, posture: &Posture) -> Result<(), EngineError> {
        if self.posture == *posture {
            return Ok(());
        }
        // What a commit covers that was begun before it is not committed under it. The next commit tells what this one would have told.
        self.end_flight()?;
        self.posture = posture.clone();
        let ids: Vec<TaskId> = self.running().map(|task| task.id.clone()).collect();
        for id in ids {
            let Some(Stage::Running(task)) = self.tasks.get_mut(&id) else { continue };
            if let Err(error) = self.posture.apply(task) {
                self.survive(&id, error)?;
            }
        }
        Ok(())
    }

    /// Whether inputs are held: then time stands still but for what follows from what has been processed.
    pub(super) fn is_held(&self) -> bool {
        self.posture.hold != Hold::Nothing
    }

    /// The partitions that stay where they are under the present posture, with all that follows from what was before them committed: also told, what is known
    /// of event time. None of them as long as anything is to be committed, or if nothing is held.
    pub fn settled(&self) -> BTreeSet<TopicPartition> {
        if !self.is_held() || self.has_work_to_commit() {
            return BTreeSet::new();
        }
        // A table that is read for the first time is not held before its gate.
        let stands = |input: &InputQueue| input.role != SourceRole::Table || input.is_fenced();
        let tasks = self.running().filter(|task| task.inputs.iter().all(stands));
        tasks.flat_map(|task| &task.inputs).map(|input| input.partition.clone()).collect()
    }
}

impl Posture {
    /// Puts a task under it.
    pub(super) fn apply(&self, task: &mut Task) -> Result<(), EngineError> {
        (task.silent, task.follows) = (self.silent, self.follows);
        for input in &mut task.inputs {
            let is_outside = input.role != SourceRole::Repartition;
            let held = match self.hold {
                Hold::Nothing => false,
                Hold::Inputs => is_outside,
                Hold::Everything => true,
            };
            let fence = self.fences.as_ref().filter(|_| is_outside);
            let fence = fence.map(|fences| fences.get(&input.partition).copied().unwrap_or(i64::MIN));
            // Where it is, not where it was when it was held first: it has not moved since.
            let here = if self.hold == Hold::Inputs { input.resting_place() } else { input.next_offset() };
            input.set_fence(if held { Some(here) } else { fence });
            // Whatever stands there: who has processed records of the table's task has read the table before.
            let followed = self.limits.as_ref().and_then(|limits| limits.get(&input.partition));
            input.has_been_read |= followed.is_some_and(|metadata| !metadata.is_empty());
            if self.hold != Hold::Nothing {
                // It is to be committed, whether a record follows or not.
                input.committed = None;
            }
        }
        task.limit_time(self.limits.as_deref());
        // In silence, if this is: who has processed as much has also said what follows from the time.
        match &self.clocks {
            Some(clocks) => Ok(task.adopt(clocks)?),
            None if self.hold == Hold::Everything => Ok(()),
            None => Ok(task.catch_up()?),
        }
    }
}
