//! A record or timer that failed, and what becomes of it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;

use super::letters::{Extent, Letter};
use super::{Task, TaskError, TaskId};
use crate::failure::Failure;
use crate::policy::Policy;
use crate::record::{Header, Record, TopicPartition};
use crate::state::{Cause, layout};
use crate::time::Timestamp;

/// What was being done when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The record was decoded and dated.
    Decode,
    /// The topology worked on the record.
    Process,
    /// A transform handled a timer.
    Timer,
    /// What came of it was to be written: it is too large, or the brokers refused it.
    Produce,
}

impl Stage {
    /// As in dead letters, logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Decode => "decode",
            Stage::Process => "process",
            Stage::Timer => "timer",
            Stage::Produce => "produce",
        }
    }
}

/// A record or timer that was left out, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Where it was processed.
    pub task: TaskId,
    /// The record's partition and offset; none for a timer.
    pub record: Option<(TopicPartition, i64)>,
    /// What was being done.
    pub stage: Stage,
    /// The node that failed, if it is known.
    pub operator: Option<String>,
    /// Why.
    pub message: String,
    /// Whether it went to the dead-letter topic.
    pub dead_letter: bool,
}

/// What went wrong.
pub(super) struct Fault {
    pub(super) cause: Cause,
    pub(super) stage: Stage,
    /// As counted.
    pub(super) reason: &'static str,
    /// The node, within the task.
    pub(super) node: usize,
    pub(super) message: String,
}

/// What failed, as it came.
pub(super) struct Origin {
    pub(super) key: Option<Bytes>,
    pub(super) value: Option<Bytes>,
    pub(super) headers: Vec<Header>,
    pub(super) timestamp: Timestamp,
}

impl From<Record> for Origin {
    fn from(record: Record) -> Origin {
        Origin { key: record.key, value: record.value, headers: record.headers, timestamp: record.timestamp }
    }
}

/// What the log refused in an earlier try of the same record or timer.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) cause: Cause,
    /// Why what it led to cannot be written; none if only its letter could not.
    pub(crate) refused: Option<String>,
    /// How much of it its letter may carry.
    pub(crate) extent: Extent,
}

impl Task {
    /// What the log said to an earlier try of this.
    pub(super) fn refused_before(&self, cause: impl FnOnce() -> Cause) -> Option<String> {
        if self.verdicts.is_empty() {
            return None;
        }
        let cause = cause();
        self.verdicts.iter().find(|verdict| verdict.cause == cause)?.refused.clone()
    }

    /// Deals with something that failed by its policy. Its effects are undone already.
    pub(super) fn give_up(&mut self, policy: Policy, fault: Fault, origin: Origin) -> Result<(), TaskError> {
        if policy == Policy::Fail {
            return Err(self.error_of(fault));
        }
        let Fault { cause, stage, reason, node, message } = fault;
        let operator = self.graph.nodes.get(node).map(|node| node.name.clone());
        let verdict = self.verdicts.iter().find(|verdict| verdict.cause == cause);
        let extent = verdict.map_or(Extent::Whole, |verdict| verdict.extent);
        if verdict.is_some() {
            self.judged.push(cause.clone());
        }
        let (place, record) = match &cause {
            Cause::Record { partition, offset } => (partition.topic.to_string(), Some((partition.clone(), *offset))),
            Cause::Timer { .. } => (operator.clone().unwrap_or_default(), None),
        };
        let letters = self.letters.as_mut().filter(|_| policy == Policy::DeadLetter);
        let dead_letter = letters.is_some();
        if let Some(letters) = letters {
            let (operator, message) = (operator.clone(), message.clone());
            letters.push(Letter { cause, stage, operator, message, origin, extent });
        }
        *self.state.dropped.entry((place, reason)).or_default() += 1;
        self.skipped.push(Skipped { task: self.id.clone(), record, stage, operator, message, dead_letter });
        Ok(())
    }

    fn error_of(&self, fault: Fault) -> TaskError {
        let Fault { cause, stage, reason, node, message } = fault;
        let task = self.id.clone();
        match (cause, stage) {
            (Cause::Record { partition, offset }, Stage::Decode) if reason == TOO_FAR_AHEAD => {
                TaskError::TooFarAhead { partition, offset, message }
            }
            (Cause::Record { partition, offset }, Stage::Decode) => TaskError::Undecodable { partition, offset, message },
            (Cause::Record { partition, offset }, Stage::Produce) => {
                TaskError::Unwritable { task, what: format!("the record at offset {offset} of {partition}"), message }
            }
            (Cause::Record { partition, offset }, Stage::Process | Stage::Timer) => {
                TaskError::Failed { task, partition, offset, message }
            }
            (Cause::Timer { entry, .. }, stage) => {
                let operator = self.graph.nodes.get(node).map(|node| node.name.clone()).unwrap_or_default();
                let time = layout::time_of(&entry);
                match stage {
                    Stage::Produce => {
                        TaskError::Unwritable { task, what: format!("the timer of {operator:?} for {time}"), message }
                    }
                    _ => TaskError::TimerFailed { task, operator, time, message },
                }
            }
        }
    }
}

/// The reason as counted of a record whose event time is too far ahead.
pub(super) const TOO_FAR_AHEAD: &str = "too_far_ahead";

/// Runs user code; a panic becomes its text. What it leaves half changed is undone by the caller.
pub(crate) fn caught<T>(code: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(code)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        format!("panicked: {}", text.unwrap_or_else(|| String::from("without a message")))
    })
}

/// The same for code that may fail; a panic becomes a failure.
pub(super) fn run(code: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    caught(code).unwrap_or_else(|panic| Err(Failure::new(panic)))
}
