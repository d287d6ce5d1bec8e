//! Finding what the log refuses for good.
//!
//! A broker says which partition refused a record, long after it was handed over among many others, and its transaction can only be
//! aborted. So its input is processed again in much smaller transactions each time one is refused, down to a single
//! record. Then everything is acknowledged before the next thing is written, so that the refusal comes while its cause is known: the
//! record, a timer it made due, or a dead letter. That one is given up by its policy when its turn comes again.
//!
//! It ends: every refusal makes the transaction smaller or adds a verdict, and something that has a verdict writes nothing but its dead
//! letter, which gets smaller until it is either taken or the application stops.

use std::collections::BTreeMap;

use super::error::EngineError;
use super::worker::{Stage, Worker};
use crate::blueprint::TaskId;
use crate::port::LogError;
use crate::record::TopicPartition;
use crate::state::Trace;
use crate::task::{Blame, Extent, InputQueue, Task, Verdict};
use crate::time::Timestamp;

/// How much smaller. An abort costs as much as very many small commits.
const NARROWER: usize = 16;

/// How far a task was when the log refused something of it.
#[derive(Debug)]
struct Until {
    positions: Vec<(TopicPartition, i64)>,
    time: Timestamp,
}

/// A search under way.
#[derive(Debug)]
pub(super) struct Search {
    /// Records in the transaction that was refused first.
    span: usize,
    /// Records a transaction may have now. With one, all that it makes is traced to its cause.
    budget: usize,
    /// It ends when all tasks are past the place.
    until: BTreeMap<TaskId, Until>,
}

impl Worker {
    /// Records that may still be processed before the next commit.
    pub(super) fn budget(&self) -> usize {
        self.search.as_ref().map_or(usize::MAX, |search| search.budget.saturating_sub(self.steps))
    }

    /// Whether each transaction is one record, and what it makes is traced.
    pub(super) fn is_tracing(&self) -> bool {
        self.search.as_ref().is_some_and(|search| search.budget <= 1)
    }

    /// The log refused something of the open transaction.
    pub(super) fn refused(&mut self, partition: TopicPartition, reason: String) -> Result<(), EngineError> {
        let blamed = self.tasks.iter_mut().find_map(|(id, stage)| match stage {
            Stage::Running(task) => Some((id.clone(), task.blamed.take()?)),
            _ => None,
        });
        let (steps, traced) = (self.steps, self.is_tracing());
        let place: BTreeMap<TaskId, Until> = self.running().map(|task| (task.id.clone(), Until::of(task))).collect();
        let search = self.search.get_or_insert_with(|| Search { span: steps.max(1), budget: usize::MAX, until: BTreeMap::new() });
        search.extend(place);
        let found = match blamed {
            Some((task, blame)) => {
                search.budget = search.span;
                judge(self.verdicts.entry(task).or_default(), blame, &format!("{partition}: {reason}"))
            }
            None => {
                search.budget = (steps / NARROWER).max(1);
                !traced
            }
        };
        let refused = LogError::Refused { partition, reason };
        if !found {
            // A marker, or a dead letter that is as small as can be: nothing of the input is at fault.
            return Err(refused.into());
        }
        // The sequence numbers of what was refused are missing now. Kafka's producer finds that out by failing the next transaction too;
        // a new one begins without a gap.
        self.replace_producer(&refused.to_string())
    }

    /// A commit succeeded: what was judged in it is done with, and perhaps the place is passed.
    pub(super) fn search_on(&mut self) {
        for (id, stage) in &mut self.tasks {
            let Stage::Running(task) = stage else { continue };
            let judged = std::mem::take(&mut task.judged);
            if judged.is_empty() {
                continue;
            }
            task.verdicts.retain(|verdict| !judged.contains(&verdict.cause));
            if let Some(verdicts) = self.verdicts.get_mut(id) {
                verdicts.retain(|verdict| !judged.contains(&verdict.cause));
            }
        }
        self.verdicts.retain(|_, verdicts| !verdicts.is_empty());
        let Some(search) = &mut self.search else { return };
        search.until.retain(|id, until| match self.tasks.get(id) {
            Some(Stage::Running(task)) => !until.is_passed(task),
            Some(_) => true,
            None => false,
        });
        if search.until.is_empty() {
            self.search = None;
            for stage in self.tasks.values_mut() {
                if let Stage::Running(task) = stage {
                    task.state.trace = None;
                }
            }
        }
    }

    /// What a task that begins again must know.
    pub(super) fn brief(&self, task: &mut Task) -> Result<(), EngineError> {
        self.posture.apply(task)?;
        task.verdicts = self.verdicts.get(&task.id).cloned().unwrap_or_default();
        task.state.trace = self.is_tracing().then(Trace::default);
        Ok(())
    }
}

impl Search {
    fn extend(&mut self, place: BTreeMap<TaskId, Until>) {
        for (task, until) in place {
            match self.until.get_mut(&task) {
                Some(before) => before.extend(until),
                None => drop(self.until.insert(task, until)),
            }
        }
    }
}

impl Until {
    fn of(task: &Task) -> Until {
        let position = |input: &InputQueue| (input.partition.clone(), input.next_offset());
        Until { positions: task.inputs.iter().map(position).collect(), time: task.time() }
    }

    fn extend(&mut self, other: Until) {
        self.time = self.time.max(other.time);
        for ((_, mine), (_, theirs)) in self.positions.iter_mut().zip(other.positions) {
            *mine = theirs.max(*mine);
        }
    }

    /// Also in time: a timer that fired because an input was idle has no position.
    fn is_passed(&self, task: &Task) -> bool {
        let passed = |(partition, position): &(TopicPartition, i64)| {
            task.inputs.iter().all(|input| input.partition != *partition || input.next_offset() >= *position)
        };
        task.time() >= self.time && self.positions.iter().all(passed)
    }
}

/// Adds what was found out; false if it was known, and acting upon it did not help.
fn judge(verdicts: &mut Vec<Verdict>, blame: Blame, reason: &str) -> bool {
    let Blame { cause, letter } = blame;
    let known = verdicts.iter_mut().find(|verdict| verdict.cause == cause);
    let (extent, refused) = known.as_ref().map_or((Extent::Whole, None), |verdict| (verdict.extent, verdict.refused.clone()));
    let verdict = match (letter, extent.less(), refused) {
        (true, Some(extent), refused) => Verdict { cause, refused, extent },
        (false, _, None) => Verdict { cause, refused: Some(reason.to_owned()), extent },
        _ => return false,
    };
    match known {
        Some(known) => *known = verdict,
        None => verdicts.push(verdict),
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Cause;

    #[test]
    fn verdicts_get_stricter_until_nothing_is_left_to_try() {
        let cause = |offset| Cause::Record { partition: TopicPartition::new("t", 0), offset };
        let mut verdicts = Vec::new();
        let mut blame = |offset, letter| judge(&mut verdicts, Blame { cause: cause(offset), letter }, "why");
        assert!(blame(1, false), "its outputs");
        assert!(!blame(1, false), "it wrote none any more");
        assert!(blame(1, true) && blame(1, true), "its letter without the value, then bare");
        assert!(!blame(1, true));
        assert!(blame(2, true), "another record, undecodable");
        assert_eq!(verdicts.len(), 2);
        assert_eq!((verdicts[0].refused.as_deref(), verdicts[0].extent), (Some("why"), Extent::Bare));
        assert_eq!((verdicts[1].refused.as_deref(), verdicts[1].extent), (None, Extent::WithoutValue));
    }
}
