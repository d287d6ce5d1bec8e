//! A task: one sub-topology at one partition. It is handed batches of records and time, and is asked for one step after the other;
//! what it wants written waits in its state until the worker commits. It does no I/O of its own beyond reading its stores.

mod ahead;
mod build;
mod clock;
mod deliveries;
mod due;
mod ended;
mod error;
mod fault;
mod header;
mod letters;
mod order;
mod outputs;
mod portion;
mod queue;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use build::InputStart;
pub(crate) use clock::{metadata_at, resumed};
pub(crate) use deliveries::TaskSink;
pub(crate) use ended::lanes_ended;
pub use error::TaskError;
pub(crate) use fault::Verdict;
pub use fault::{Skipped, Stage};
pub(crate) use letters::Extent;

pub use crate::blueprint::TaskId;
use crate::bounded::{Bounded, Finish};
use crate::failure::{Failure, Refused};
use crate::operators::{Graph, Refusal, Step};
use crate::policy::Policy;
use crate::port::{Batch, Checkpoint, Committed, StateStores, StoreError};
use crate::record::{TopicName, TopicPartition};
use crate::state::{Cause, TaskState};
use crate::time::Timestamp;
use crate::topology::Changelog;
use clock::Reading;
pub(crate) use fault::caught;
use fault::{Fault, run};
use letters::Letters;
use outputs::OutputTopic;
pub(crate) use outputs::{Belongs, Markers};
use queue::Head;
pub(crate) use queue::InputQueue;

/// What a record was written for that the log refused for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blame {
    pub(crate) cause: Cause,
    /// Whether it was its dead letter.
    pub(crate) letter: bool,
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
    /// When the commit under way began, if it is known, and which stores had everything then.
    launched: (Option<Timestamp>, Vec<bool>),
    timed: Vec<due::TimedStore>,
    outputs: Vec<OutputTopic>,
    sinks: Vec<TaskSink>,
    /// The task's watermark: the least of its inputs'.
    time: Timestamp,
    /// How far it may come for now.
    limit: Timestamp,
    /// Whether results and dead letters are left out, for as long as another version speaks.
    pub(crate) silent: bool,
    /// Whether this generation has not taken over yet: what it processes is a replay.
    pub(crate) follows: bool,
    /// The bounds of a bounded run.
    bounds: Option<Arc<Bounded>>,
    /// In a bounded run: all inputs have ended and everything that follows from that is done.
    pub(crate) has_finished: bool,
    pub(crate) skipped: Vec<Skipped>,
    /// What happens to failed timers, by node.
    timer_policies: Vec<Policy>,
    /// Where failed records go, if the application has a place for them.
    letters: Option<Letters>,
    /// What the log refused before.
    pub(crate) verdicts: Vec<Verdict>,
    /// Which of the verdicts have been acted upon since the last commit.
    pub(crate) judged: Vec<Cause>,
    /// Who is at fault for what the log refuses; known only while a fault is searched for.
    pub(crate) blamed: Option<Blame>,
}

impl Task {
    /// Takes records of one of its inputs.
    pub(crate) fn receive(&mut self, input: usize, batch: Batch) {
        self.inputs[input].receive(batch);
    }

    /// Deals with the one record whose turn it is, and with every timer that is due then.
    pub(crate) fn step(&mut self) -> Result<StepOutcome, TaskError> {
        self.load_heads()?;
        let Some(chosen) = order::choose(&self.inputs) else {
            self.finish_if_ended()?;
            return Ok(StepOutcome::Waiting);
        };
        let Some(head) = self.inputs[chosen].head else { return Ok(StepOutcome::Waiting) };
        self.process(chosen, head)?;
        let input = &mut self.inputs[chosen];
        input.pop();
        input.clock.observe(head.timestamp, head.header);
        self.advance_time()?;
        Ok(StepOutcome::Processed)
    }

    /// In a bounded run, once every input has ended: passes the end on, and lets event time pass everything if that is wanted. Also before
    /// a commit: positions that say so are not committed without what follows from it, and a successor does not do it again.
    pub(crate) fn finish_if_ended(&mut self) -> Result<(), TaskError> {
        let Some(bounds) = self.bounds.as_ref().filter(|_| !self.has_finished) else { return Ok(()) };
        if !self.inputs.iter().all(InputQueue::has_ended) {
            return Ok(());
        }
        if bounds.finish == Finish::CloseWindows {
            // Up to the last that is set now, not for ever: a timer whose handler sets the next one has no last.
            let last = self.last_due()?.max(self.time);
            self.fire_until(last)?;
            self.time = last;
        }
        self.has_finished = true;
        Ok(())
    }

    fn process(&mut self, chosen: usize, head: Head) -> Result<(), TaskError> {
        let cause = |task: &Task| Cause::Record { partition: task.inputs[chosen].partition.clone(), offset: head.offset };
        let Err(failure) = self.attempt(chosen, head) else { return Ok(()) };
        let node = failure.node().unwrap_or(self.state.node);
        self.state.undo_step();
        if let Some(store) = failure.store_error() {
            return Err(store.clone().into());
        }
        let (stage, reason) = if failure.is_unwritable() { (Stage::Produce, "unwritable") } else { (Stage::Process, "failed") };
        let fault = Fault { cause: cause(self), stage, reason, node, message: failure.to_string() };
        let input = &self.inputs[chosen];
        let (policy, record) = (input.policy, input.front().cloned());
        match record {
            Some(record) => self.give_up(policy, fault, record.into()),
            None => Ok(()),
        }
    }

    /// Runs a record's way through the nodes and keeps its effects if all of it succeeds.
    fn attempt(&mut self, chosen: usize, head: Head) -> Result<(), Failure> {
        let cause = |input: &InputQueue| Cause::Record { partition: input.partition.clone(), offset: head.offset };
        if let Some(refused) = self.refused_before(|| cause(&self.inputs[chosen])) {
            return Err(Refused(refused).into());
        }
        let input = &mut self.inputs[chosen];
        if !input.sees.contains(head.timestamp) {
            // It moves event time, as it did live.
            return Ok(());
        }
        input.asks.iter().for_each(|store| self.state.turn_to(*store, head.offset));
        self.state.outbox.promise = self.time;
        self.state.node = input.node;
        let mut step = Step {
            graph: &self.graph,
            state: &mut self.state,
            node: input.node,
            timestamp: head.timestamp,
            // What was promised holds, also for the records of an input that had been given up as idle.
            watermark: input.clock.carried(head.timestamp, head.header).max(self.time),
            partition: self.id.partition,
        };
        run(|| input.source.emit(&mut step))?;
        self.state.fits()?;
        self.state.keep_step(|| cause(input));
        Ok(())
    }

    /// Decodes the first record of every queue that has one; markers and refused records are dealt with on the way.
    fn load_heads(&mut self) -> Result<(), TaskError> {
        let mut time_moved = false;
        for number in 0..self.inputs.len() {
            while self.inputs[number].head.is_none() {
                let input = &mut self.inputs[number];
                let Some(record) = input.front().filter(|_| !input.is_fenced()) else { break };
                let header = input.front_time();
                let is_marker = header.is_some() && record.key.is_none() && record.value.is_none();
                if is_marker {
                    input.clock.observe(Timestamp::MIN, header);
                    input.pop();
                    time_moved = true;
                    continue;
                }
                let (offset, latest) = (record.offset, input.latest_time());
                let loaded = caught(|| input.load_front()).unwrap_or_else(|panic| Some(Err(Refusal::Undecodable(panic))));
                let Some(loaded) = loaded else { break };
                match loaded {
                    Ok(timestamp) if timestamp <= latest => input.head = Some(Head { timestamp, offset, header }),
                    Ok(timestamp) => self.refuse(number, &Refusal::TooFarAhead { timestamp, latest })?,
                    Err(refusal) => self.refuse(number, &refusal)?,
                }
            }
        }
        if time_moved { self.advance_time() } else { Ok(()) }
    }

    /// Leaves out the first record of an input: it cannot enter the topology.
    fn refuse(&mut self, number: usize, refusal: &Refusal) -> Result<(), TaskError> {
        let input = &self.inputs[number];
        let Some(record) = input.front().cloned() else { return Ok(()) };
        // What has no key, value or time is no mistake by its input's measure.
        let policy = if refusal.is_mistake() { input.policy } else { Policy::Skip };
        let cause = Cause::Record { partition: input.partition.clone(), offset: record.offset };
        let (reason, message) = (refusal.reason(), refusal.to_string());
        let fault = Fault { cause, stage: Stage::Decode, reason, node: input.node, message };
        self.give_up(policy, fault, record.into())?;
        self.inputs[number].pop();
        Ok(())
    }

    /// Moves the task's watermark to the least of its inputs' and fires what is due by then. Also where time stands still: the step
    /// just made may have set a timer for a time already passed.
    fn advance_time(&mut self) -> Result<(), TaskError> {
        let until = self.reading().map_or(self.time, |reading| reading.watermark.min(self.limit).max(self.time));
        self.fire_until(self.bounds.as_ref().map_or(until, |bounds| until.min(bounds.fires_until)))?;
        self.time = until;
        Ok(())
    }

    /// Has event time not come past what another task has committed that reads the same partitions, for now; without limits it is free.
    pub(crate) fn limit_time(&mut self, limits: Option<&BTreeMap<TopicPartition, String>>) {
        let of = |input: &InputQueue| input.clock.reached(limits?.get(&input.partition)?);
        self.limit = self.inputs.iter().filter_map(of).min().unwrap_or(Timestamp::MAX);
    }

    /// Goes on to where event time may come by now, where it was limited before.
    pub(crate) fn catch_up(&mut self) -> Result<(), TaskError> {
        let is_behind = self.reading().is_some_and(|reading| reading.watermark.min(self.limit) > self.time);
        if is_behind { self.advance_time() } else { Ok(()) }
    }

    /// What the inputs know of event time together; none if all are tables.
    fn reading(&self) -> Option<Reading> {
        Reading::combine(self.inputs.iter().filter_map(|input| input.clock.reading()))
    }

    /// Declares inputs idle that have had nothing to read for `timeout`.
    pub(crate) fn check_idle(&mut self, now: Duration, timeout: Duration) -> Result<(), TaskError> {
        if self.bounds.is_some() {
            // What ended holds event time where it is; what had nothing to read from the beginning was idle from the beginning.
            return Ok(());
        }
        let mut news = false;
        for input in &mut self.inputs {
            // What does not grow is not waited for.
            if input.quiet_for(now) >= timeout || input.has_ended() {
                news |= input.clock.set_idle();
            }
        }
        if news { self.advance_time() } else { Ok(()) }
    }

    /// Takes up what another task that has processed exactly as much knows of event time, and fires what is due by then.
    pub(crate) fn adopt(&mut self, clocks: &BTreeMap<TopicPartition, String>) -> Result<(), TaskError> {
        let mut reached = self.time;
        for input in &mut self.inputs {
            let Some(metadata) = clocks.get(&input.partition) else { continue };
            reached = reached.max(input.clock.take_up(metadata));
        }
        self.fire_until(reached)?;
        self.time = reached;
        Ok(())
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
            (input.partition.clone(), Committed { offset: input.next_offset(), metadata: input.metadata(self.time) })
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

    /// A commit takes everything along that is uncommitted.
    pub(crate) fn launch(&mut self, wall: Option<Timestamp>) {
        self.state.launch();
        self.launched = (wall, (0..self.stores.len()).map(|store| self.has_all_of(store)).collect());
        if let Some(letters) = &mut self.letters {
            letters.launch();
        }
    }

    /// The positions were committed and the changes delivered: brings the stores to that point. `delivered` has the offset
    /// after the last delivered record per changelog; a table's offset is its input's.
    pub(crate) fn committed(
        &mut self,
        delivered: &[(TopicPartition, i64)],
        positions: &[(TopicPartition, Committed)],
    ) -> Result<(), StoreError> {
        let mut reached = Vec::new();
        let (wall, has_all) = std::mem::take(&mut self.launched);
        for (store, (_, changelog)) in self.stores.iter().enumerate() {
            let offset = match changelog {
                Changelog::Own(topic) => find(delivered, topic, self.id.partition).copied(),
                Changelog::Source(topic) => find(positions, topic, self.id.partition).map(|committed| committed.offset),
            };
            let Some(offset) = offset else { continue };
            let checkpoint = &mut self.checkpoints[store];
            checkpoint.offset = offset;
            if has_all.get(store).is_some_and(|has_all| *has_all) {
                checkpoint.as_of = wall.or(checkpoint.as_of);
            }
            reached.push((store, *checkpoint));
        }
        self.state.apply(&reached)?;
        if let Some(letters) = &mut self.letters {
            letters.committed();
        }
        self.deliveries_committed();
        if let Some(trace) = &mut self.state.trace {
            trace.committed();
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
        if reached.is_empty() { Ok(()) } else { self.state.touch(&reached) }
    }

    /// Drops everything uncommitted and gives the committed stores back.
    pub(crate) fn into_stores(self) -> Box<dyn StateStores> {
        self.state.into_committed()
    }
}

fn find<'a, T>(list: &'a [(TopicPartition, T)], topic: &TopicName, partition: i32) -> Option<&'a T> {
    list.iter().find(|(candidate, _)| candidate.topic == *topic && candidate.partition == partition).map(|(_, found)| found)
}
