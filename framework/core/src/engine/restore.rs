//! A task being taken over: its stores are brought to the end of their changelogs before it may process.

use std::collections::BTreeMap;

use super::bounds::{Bounds, Log, check_position};
use super::error::EngineError;
use super::report::{Recovery, RestoreProgress};
use super::standing::{Standing, judge};
use crate::blueprint::{Plan, TaskId};
use crate::operators::table_cell;
use crate::port::{Batch, Change, Checkpoint, Ends, StateStores, StoreError, StoreTrouble};
use crate::record::{TopicName, TopicPartition};
use crate::task::{InputStart, Task};
use crate::time::Timestamp;

/// One changelog being read back.
#[derive(Debug)]
struct Reading {
    store: usize,
    name: String,
    /// A table's topic: its records are kept as the table keeps them.
    is_table: bool,
    /// The next offset, and what is to be stored beside the store until it is complete.
    at: Checkpoint,
    /// The offset after the last record applied. Only this is stored, not how far the reading has got past markers and aborted records
    /// behind it: should a leader that lost them give their offsets again, the store would take other records for those it has.
    applied_to: i64,
    /// Done when the position reaches this: the read-uncommitted end for a changelog (KAFKA-10167), the committed offset for a table.
    end: i64,
    applied: u64,
    /// Whether it is being read; others wait for their turn.
    active: bool,
}

pub(crate) struct Restore {
    pub(crate) id: TaskId,
    stores: Box<dyn StateStores>,
    starts: BTreeMap<TopicName, InputStart>,
    reading: BTreeMap<TopicPartition, Reading>,
    /// Per store: its checkpoint once it is complete.
    complete: Vec<Checkpoint>,
    now: Option<Timestamp>,
}

/// What a batch of a changelog led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Received {
    /// More is to come.
    More,
    /// The log had nothing more although its end was not reached: an open transaction, or it has become shorter.
    Short,
    /// This changelog is done.
    Done,
}

impl Restore {
    /// Compares what the stores have with what the log has. Those that cannot be continued are emptied, and named in `found`.
    pub(crate) fn begin(
        id: TaskId,
        bounds: Bounds,
        mut stores: Box<dyn StateStores>,
        now: Option<Timestamp>,
        found: &mut Vec<Recovery>,
    ) -> Result<Restore, StoreError> {
        for (trouble, detail) in stores.take_notes() {
            found.push(Recovery { task: id.clone(), store: None, trouble, detail });
        }
        let Bounds { starts, logs } = bounds;
        let (mut reading, mut complete) = (BTreeMap::new(), Vec::new());
        for (store, Log { store: open, partition, is_table, facts }) in logs.into_iter().enumerate() {
            let stored = stores.checkpoint(store)?;
            let standing = judge(stored.as_ref(), &facts, now);
            let (offset, as_of) = match standing {
                Standing::Tail(offset) => (offset, stored.and_then(|stored| stored.as_of).or(now)),
                Standing::New | Standing::Rebuild(_) => {
                    // A new store has something if a load was cut short before its first checkpoint.
                    stores.clear(store)?;
                    (facts.log.start, now)
                }
            };
            if let Standing::Rebuild(trouble) = standing {
                let detail = describe(stored.as_ref(), &facts.log, facts.bound, facts.topic, now);
                found.push(Recovery { task: id.clone(), store: Some(open.name.clone()), trouble, detail });
            }
            let at = Checkpoint { offset, topic: facts.topic, as_of };
            let end = facts.bound.max(offset);
            // A table that is read up to its committed position has not seen the deletions behind it.
            complete.push(Checkpoint { offset: end, as_of: if end >= facts.log.end { now } else { as_of }, ..at });
            if offset < end {
                reading.insert(
                    partition,
                    Reading { store, name: open.name, is_table, at, applied_to: offset, end, applied: 0, active: false },
                );
            }
        }
        Ok(Restore { id, stores, starts, reading, complete, now })
    }

    /// The next changelog whose turn it is, and where to read it from. It is being read from now on.
    pub(crate) fn next_to_read(&mut self) -> Option<(TopicPartition, i64)> {
        let (partition, reading) = self.reading.iter_mut().find(|(_, reading)| !reading.active)?;
        reading.active = true;
        Some((partition.clone(), reading.at.offset))
    }

    /// Applies records of a changelog.
    pub(crate) fn receive(&mut self, batch: &Batch) -> Result<Received, StoreError> {
        let Some(reading) = self.reading.get_mut(&batch.partition) else { return Ok(Received::More) };
        let wanted = batch.records.iter().filter(|record| record.offset < reading.end);
        let changes: Vec<Change> = wanted
            .filter_map(|record| {
                let value = if reading.is_table { table_cell(record) } else { record.value.clone() };
                Some(Change { store: reading.store, key: record.key.clone()?, value })
            })
            .collect();
        let nexts = batch.records.iter().map(|record| record.offset + 1).filter(|next| *next <= reading.end);
        reading.applied_to = nexts.fold(reading.applied_to, i64::max);
        reading.at.offset = batch.position.min(reading.end);
        reading.applied += changes.len() as u64;
        self.stores.load(&changes, reading.store, Checkpoint { offset: reading.applied_to, ..reading.at })?;
        if reading.at.offset >= reading.end {
            self.complete[reading.store].offset = reading.applied_to;
            self.stores.end_load(reading.store)?;
            return Ok(Received::Done);
        }
        Ok(if batch.at_end { Received::Short } else { Received::More })
    }

    /// Begins a changelog again at its first offset if the log, as it is now, does not have what is still to be read. Answers where.
    pub(crate) fn check_log(&mut self, partition: &TopicPartition, log: Ends) -> Result<Option<(i64, Recovery)>, EngineError> {
        let Some(reading) = self.reading.get_mut(partition) else { return Ok(None) };
        let before = Some(reading.at);
        let trouble = match reading.at.offset {
            offset if offset < log.start => StoreTrouble::Overtaken,
            _ if reading.end > log.end => StoreTrouble::Truncated,
            _ => return Ok(None),
        };
        if reading.is_table {
            // Its input is to be read from there on, and that must exist.
            check_position(partition, reading.end.max(log.start), log)?;
            if let Some(start) = self.starts.get_mut(&partition.topic) {
                start.from.offset = start.from.offset.max(log.start);
            }
        }
        self.stores.clear(reading.store)?;
        reading.end = if reading.is_table { reading.end.max(log.start) } else { log.end };
        reading.at = Checkpoint { offset: log.start, as_of: self.now, ..reading.at };
        reading.applied_to = log.start;
        self.complete[reading.store].offset = log.start;
        let detail = describe(before.as_ref(), &log, reading.end, reading.at.topic, None);
        let recovery = Recovery { task: self.id.clone(), store: Some(reading.name.clone()), trouble, detail };
        Ok(Some((log.start, recovery)))
    }

    /// Whether a changelog has been read to its end.
    pub(crate) fn is_read(&self, partition: &TopicPartition) -> bool {
        self.reading.get(partition).is_none_or(|reading| reading.at.offset >= reading.end)
    }

    /// A changelog is done; answers its last progress.
    pub(crate) fn finish_reading(&mut self, partition: &TopicPartition) -> Option<RestoreProgress> {
        let mut reading = self.reading.remove(partition)?;
        Some(progress_of(&self.id, &mut reading))
    }

    pub(crate) fn is_done(&self) -> bool {
        self.reading.is_empty()
    }

    /// How far each changelog is; counts applied records anew.
    pub(crate) fn progress(&mut self) -> Vec<RestoreProgress> {
        let id = &self.id;
        self.reading.values_mut().map(|reading| progress_of(id, reading)).collect()
    }

    /// The task, ready to process, and where its inputs are to be read from.
    pub(crate) fn finish(mut self, plan: &Plan, largest_record: usize) -> Result<(Task, Vec<(TopicPartition, i64)>), StoreError> {
        let reached: Vec<(usize, Checkpoint)> = self.complete.iter().copied().enumerate().collect();
        if !reached.is_empty() {
            self.stores.apply(&[], &reached)?;
        }
        let partition = self.id.partition;
        let from =
            |(topic, start): (&TopicName, &InputStart)| (TopicPartition { topic: topic.clone(), partition }, start.from.offset);
        let is_read = |(partition, offset): &(TopicPartition, i64)| !plan.is_read_to_its_end(partition, *offset);
        let inputs = self.starts.iter().map(from).filter(is_read).collect();
        Ok((Task::build(plan, self.id, self.stores, &self.starts, self.complete, largest_record), inputs))
    }

    /// Gives the stores back unfinished; what was read stays and is not read again.
    pub(crate) fn into_stores(self) -> Box<dyn StateStores> {
        self.stores
    }
}

fn progress_of(task: &TaskId, reading: &mut Reading) -> RestoreProgress {
    RestoreProgress {
        task: task.clone(),
        store: reading.name.clone(),
        applied: std::mem::take(&mut reading.applied),
        remaining: u64::try_from(reading.end - reading.at.offset).unwrap_or(0),
    }
}

/// The numbers behind a recovery, for the log.
fn describe(
    stored: Option<&Checkpoint>,
    log: &Ends,
    bound: i64,
    topic: Option<crate::port::TopicId>,
    now: Option<Timestamp>,
) -> String {
    let Some(stored) = stored else { return String::from("nothing is stored") };
    let id = |id: Option<crate::port::TopicId>| id.map_or_else(|| String::from("unknown"), |id| id.to_string());
    let left = stored.as_of.zip(now).map(|(as_of, now)| (now.as_millis() - as_of.as_millis()) / 1000);
    let left = left.map_or_else(String::new, |seconds| format!(", complete {seconds} s ago"));
    format!(
        "the store is at offset {} of topic id {}{left}; the log has offsets {} to {} of topic id {} and is read to {bound}",
        stored.offset,
        id(stored.topic),
        log.start,
        log.end,
        id(topic)
    )
}
