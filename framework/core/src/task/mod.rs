//! A task: one sub-topology at one partition. It is handed batches of records and time, and is asked for one step after the other;
//! what it wants written waits in its state until the worker commits. It does no I/O of its own beyond reading its stores.

mod build;
mod clock;
mod due;
mod error;
mod header;
mod order;
mod outputs;
mod queue;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

pub(crate) use build::InputStart;
pub use error::TaskError;

pub use crate::blueprint::TaskId;
use crate::failure::Failure;
use crate::operators::{Graph, Step};
use crate::policy::Policy;
use crate::port::{Batch, Change, Checkpoint, Committed, StateStores, StoreError};
use crate::record::{TopicName, TopicPartition};
use crate::state::TaskState;
use crate::time::Timestamp;
use crate::topology::{Changelog, SourceRole};
use clock::Reading;
pub(crate) use outputs::Markers;
use outputs::OutputTopic;
use queue::{Head, InputQueue};

/// A record that was left out, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Where it is.
    pub partition: TopicPartition,
    /// Which it is.
    pub offset: i64,
    /// Why.
    pub message: String,
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StepOutcome {
    /// One record was dealt with.
    Processed,
    /// There is nothing that may be processed now.
    Waiting,
}

pub(crate) struct Task {
    pub(crate) id: TaskId,
    pub(crate) inputs: Vec<InputQueue>,
    graph: Graph,
    pub(crate) state: TaskState,
    /// Per store of the task: its name and what it is restored from.
    pub(crate) stores: Vec<(String, Changelog)>,
    /// Per store of the task: what is stored beside it.
    checkpoints: Vec<Checkpoint>,
    timed: Vec<due::TimedStore>,
    outputs: Vec<OutputTopic>,
    /// The task's watermark: the least of its inputs'.
    time: Timestamp,
    pub(crate) skipped: Vec<Skipped>,
}

impl Task {
    /// Takes records of one of its inputs.
    pub(crate) fn receive(&mut self, input: usize, batch: Batch) {
        self.inputs[input].receive(batch);
    }

    /// Deals with the one record whose turn it is, and with every timer that is due then.
    pub(crate) fn step(&mut self) -> Result<StepOutcome, TaskError> {
        self.load_heads()?;
        let Some(chosen) = order::choose(&self.inputs) else { return Ok(StepOutcome::Waiting) };
        let Some(head) = self.inputs[chosen].head else { return Ok(StepOutcome::Waiting) };
        self.process(chosen, head)?;
        let input = &mut self.inputs[chosen];
        input.pop();
        input.clock.observe(head.timestamp, head.header);
        self.advance_time()?;
        Ok(StepOutcome::Processed)
    }

    fn process(&mut self, chosen: usize, head: Head) -> Result<(), TaskError> {
        let input = &mut self.inputs[chosen];
        self.state.outbox.promise = self.time;
        let mut step = Step {
            graph: &self.graph,
            state: &mut self.state,
            node: input.node,
            timestamp: head.timestamp,
            // What was promised holds, also for the records of an input that had been given up as idle.
            watermark: input.clock.carried(head.timestamp, head.header).max(self.time),
            partition: self.id.partition,
        };
        match run(|| input.source.emit(&mut step)) {
            Ok(()) => self.state.keep_step(),
            Err(failure) => {
                self.state.undo_step();
                if let Some(store) = failure.store_error() {
                    return Err(store.clone().into());
                }
                let (partition, offset, message) = (input.partition.clone(), head.offset, failure.to_string());
                match input.policy {
                    Policy::Fail => {
                        return Err(TaskError::Failed { task: self.id.clone(), partition, offset, message });
                    }
                    Policy::Skip => self.skip(partition, offset, "failed", message),
                }
            }
        }
        Ok(())
    }

    /// Decodes the first record of every queue that has one; markers and refused records are dealt with on the way.
    fn load_heads(&mut self) -> Result<(), TaskError> {
        let mut time_moved = false;
        for number in 0..self.inputs.len() {
            while self.inputs[number].head.is_none() {
                let input = &mut self.inputs[number];
                let Some(record) = input.front() else { break };
                let header = if input.role == SourceRole::Repartition { queue::time_header(record) } else { None };
                let (offset, is_marker) = (record.offset, header.is_some() && record.key.is_none() && record.value.is_none());
                if is_marker {
                    input.clock.observe(Timestamp::MIN, header);
                    input.pop();
                    time_moved = true;
                    continue;
                }
                let record = record.clone();
                match input.source.load(&record) {
                    Ok(timestamp) => input.head = Some(Head { timestamp, offset, header }),
                    Err(refusal) => {
                        let message = match &refusal {
                            crate::operators::Refusal::Undecodable(message) => message.clone(),
                            other => other.reason().to_owned(),
                        };
                        let partition = input.partition.clone();
                        let by_policy = matches!(refusal, crate::operators::Refusal::Undecodable(_));
                        if by_policy && input.policy == Policy::Fail {
                            return Err(TaskError::Undecodable { partition, offset, message });
                        }
                        input.pop();
                        self.skip(partition, offset, refusal.reason(), message);
                    }
                }
            }
        }
        if time_moved { self.advance_time() } else { Ok(()) }
    }

    fn skip(&mut self, partition: TopicPartition, offset: i64, reason: &'static str, message: String) {
        *self.state.dropped.entry((partition.topic.to_string(), reason)).or_default() += 1;
        self.skipped.push(Skipped { partition, offset, message });
    }

    /// Moves the task's watermark to the least of its inputs' and fires what is due by then. Also where time stands still: the step
    /// just made may have set a timer for a time already passed.
    fn advance_time(&mut self) -> Result<(), TaskError> {
        let until = self.reading().map_or(self.time, |reading| reading.watermark.max(self.time));
        self.fire_until(until)?;
        self.time = until;
        Ok(())
    }

    /// What the inputs know of event time together; none if all are tables.
    fn reading(&self) -> Option<Reading> {
        Reading::combine(self.inputs.iter().filter_map(|input| input.clock.reading()))
    }

    /// Declares inputs idle that have had nothing to read for `timeout`.
    pub(crate) fn check_idle(&mut self, now: Duration, timeout: Duration) -> Result<(), TaskError> {
        let mut news = false;
        for input in &mut self.inputs {
            if input.quiet_for(now) >= timeout {
                news |= input.clock.set_idle();
            }
        }
        if news { self.advance_time() } else { Ok(()) }
    }

    /// The task's watermark.
    pub(crate) fn time(&self) -> Timestamp {
        self.time
    }

    /// Whether the inputs moved or anything was written since the last commit.
    pub(crate) fn needs_commit(&self) -> bool {
        self.state.is_dirty() || self.inputs.iter().any(|input| input.committed != Some(input.next_offset()))
    }

    /// Where a successor would begin, with what it must know of event time.
    pub(crate) fn positions(&self) -> Vec<(TopicPartition, Committed)> {
        let position = |input: &InputQueue| {
            (input.partition.clone(), Committed { offset: input.next_offset(), metadata: input.clock.encode(self.time) })
        };
        self.inputs.iter().map(position).collect()
    }

    /// The changelog topic of a store, none for a table (its topic is its changelog).
    pub(crate) fn changelog_of(&self, store: usize) -> Option<&TopicName> {
        match &self.stores[store].1 {
            Changelog::Own(topic) => Some(topic),
            Changelog::Source(_) => None,
        }
    }

    /// The positions were committed and the changes delivered: brings the stores to that point. `delivered` has the offset
    /// after the last delivered record per changelog; a table's offset is its input's.
    pub(crate) fn committed(
        &mut self,
        changes: &[Change],
        delivered: &[(TopicPartition, i64)],
        positions: &[(TopicPartition, Committed)],
        wall: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let mut reached = Vec::new();
        for (store, (_, changelog)) in self.stores.iter().enumerate() {
            let offset = match changelog {
                Changelog::Own(topic) => find(delivered, topic, self.id.partition).copied(),
                Changelog::Source(topic) => find(positions, topic, self.id.partition).map(|committed| committed.offset),
            };
            let Some(offset) = offset else { continue };
            let checkpoint = &mut self.checkpoints[store];
            checkpoint.offset = offset;
            if self.has_all_of(store) {
                self.checkpoints[store].as_of = wall.or(self.checkpoints[store].as_of);
            }
            reached.push((store, self.checkpoints[store]));
        }
        if !changes.is_empty() || !reached.is_empty() {
            self.state.apply(changes, &reached)?;
        }
        for input in &mut self.inputs {
            input.committed =
                find(positions, &input.partition.topic, input.partition.partition).map(|committed| committed.offset);
        }
        Ok(())
    }

    /// Whether a store has everything its changelog has: always if only this task writes it; a table's once its input is read to the end.
    fn has_all_of(&self, store: usize) -> bool {
        match &self.stores[store].1 {
            Changelog::Own(_) => true,
            Changelog::Source(topic) => {
                self.inputs.iter().find(|input| input.partition.topic == *topic).is_some_and(InputQueue::is_exhausted)
            }
        }
    }

    /// Stores the time of day beside the stores that have everything: nothing needs to have been written to them lately.
    pub(crate) fn touch(&mut self, wall: Timestamp) -> Result<(), StoreError> {
        let complete: Vec<usize> = (0..self.stores.len()).filter(|store| self.has_all_of(*store)).collect();
        let mut reached = Vec::new();
        for store in complete {
            self.checkpoints[store].as_of = Some(wall);
            reached.push((store, self.checkpoints[store]));
        }
        if reached.is_empty() { Ok(()) } else { self.state.apply(&[], &reached) }
    }

    /// Drops everything uncommitted and gives the committed stores back.
    pub(crate) fn into_stores(self) -> Box<dyn StateStores> {
        self.state.into_committed()
    }
}

fn find<'a, T>(list: &'a [(TopicPartition, T)], topic: &TopicName, partition: i32) -> Option<&'a T> {
    list.iter().find(|(candidate, _)| candidate.topic == *topic && candidate.partition == partition).map(|(_, found)| found)
}

/// Runs user code; a panic becomes a failure of the record at hand. The state it leaves half changed is undone by the caller.
fn run(code: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    catch_unwind(AssertUnwindSafe(code)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Failure::new(format!("panicked: {}", text.unwrap_or_else(|| String::from("without a message")))))
    })
}
