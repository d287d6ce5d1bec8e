//! A task being taken over: its stores are brought to the end of their changelogs before it may process.

use std::collections::BTreeMap;

use crate::blueprint::{Plan, TaskId};
use crate::operators::table_cell;
use crate::port::{Batch, Change, Committed, Ends, LogError, OpenStore, Reader, StateStores, StoreError};
use crate::record::{TopicName, TopicPartition};
use crate::task::{InputStart, Task};
use crate::topology::Changelog;

use super::report::RestoreProgress;

/// One changelog being read back.
#[derive(Debug)]
struct Reading {
    store: usize,
    name: String,
    /// A table's topic: its records are kept as the table keeps them.
    is_table: bool,
    position: i64,
    /// Done when the position reaches this: the read-uncommitted end for a changelog (KAFKA-10167), the committed offset for a table.
    end: i64,
    applied: u64,
}

pub(crate) struct Restore {
    pub(crate) id: TaskId,
    stores: Box<dyn StateStores>,
    starts: BTreeMap<TopicName, InputStart>,
    reading: BTreeMap<TopicPartition, Reading>,
}

/// What the log says about a task about to be taken over.
pub(crate) struct Bounds {
    starts: BTreeMap<TopicName, InputStart>,
    changelogs: Vec<(OpenStore, Changelog, TopicPartition, Ends)>,
}

impl Bounds {
    /// Looks up the committed positions first and the changelogs' ends second. The order matters: a predecessor's last
    /// transaction is settled when its positions are known, so the ends seen afterwards cover it.
    pub(crate) fn look_up(plan: &Plan, id: &TaskId, reader: &mut dyn Reader) -> Result<Bounds, LogError> {
        let starts = input_starts(plan, id, reader)?;
        let stores = plan.stores_of(id);
        let partition_of = |changelog: &Changelog| match changelog {
            Changelog::Own(topic) | Changelog::Source(topic) => TopicPartition { topic: topic.clone(), partition: id.partition },
        };
        let partitions: Vec<TopicPartition> = stores.iter().map(|(_, changelog)| partition_of(changelog)).collect();
        let ends = reader.ends(&partitions)?;
        let changelogs = stores.into_iter().zip(partitions.into_iter().zip(ends));
        Ok(Bounds {
            starts,
            changelogs: changelogs.map(|((store, log), (partition, ends))| (store, log, partition, ends)).collect(),
        })
    }
}

impl Restore {
    /// Compares what the stores have with what the log has.
    pub(crate) fn begin(id: TaskId, bounds: Bounds, mut stores: Box<dyn StateStores>) -> Result<Restore, StoreError> {
        let Bounds { starts, changelogs } = bounds;
        let mut reading = BTreeMap::new();
        for (store, (open, changelog, partition, ends)) in changelogs.into_iter().enumerate() {
            let (is_table, end) = match &changelog {
                Changelog::Own(_) => (false, ends.end),
                Changelog::Source(topic) => (true, starts.get(topic).map_or(0, |start| start.from.offset)),
            };
            let position = match stores.offset(store)? {
                // Within the log: only the tail is missing.
                Some(offset) if offset >= ends.start && offset <= end => offset,
                Some(_) => {
                    // The log was truncated, made anew or trimmed beyond the store: what the store has cannot be trusted.
                    stores.clear(store)?;
                    ends.start
                }
                None => ends.start,
            };
            if position < end {
                reading.insert(partition, Reading { store, name: open.name, is_table, position, end, applied: 0 });
            }
        }
        Ok(Restore { id, stores, starts, reading })
    }

    /// What has to be read, and from where.
    pub(crate) fn to_read(&self) -> Vec<(TopicPartition, i64)> {
        self.reading.iter().map(|(partition, reading)| (partition.clone(), reading.position)).collect()
    }

    /// Applies records of a changelog; true when this changelog is done.
    pub(crate) fn receive(&mut self, batch: &Batch) -> Result<bool, StoreError> {
        let Some(reading) = self.reading.get_mut(&batch.partition) else { return Ok(false) };
        let wanted = batch.records.iter().filter(|record| record.offset < reading.end);
        let changes: Vec<Change> = wanted
            .filter_map(|record| {
                let value = if reading.is_table { table_cell(record) } else { record.value.clone() };
                Some(Change { store: reading.store, key: record.key.clone()?, value })
            })
            .collect();
        reading.position = batch.position.min(reading.end);
        reading.applied += changes.len() as u64;
        self.stores.apply(&changes, &[(reading.store, reading.position)])?;
        let done = reading.position >= reading.end;
        if done {
            self.reading.remove(&batch.partition);
        }
        Ok(done)
    }

    pub(crate) fn is_done(&self) -> bool {
        self.reading.is_empty()
    }

    /// How far each changelog is; counts applied records anew.
    pub(crate) fn progress(&mut self) -> Vec<RestoreProgress> {
        let partition = self.id.partition;
        let progress = |reading: &mut Reading| RestoreProgress {
            store: reading.name.clone(),
            partition,
            applied: std::mem::take(&mut reading.applied),
            remaining: u64::try_from(reading.end - reading.position).unwrap_or(0),
        };
        self.reading.values_mut().map(progress).collect()
    }

    /// The task, ready to process, and where its inputs are to be read from.
    pub(crate) fn finish(self, plan: &Plan) -> (Task, Vec<(TopicPartition, i64)>) {
        let partition = self.id.partition;
        let from =
            |(topic, start): (&TopicName, &InputStart)| (TopicPartition { topic: topic.clone(), partition }, start.from.offset);
        let inputs = self.starts.iter().map(from).collect();
        (Task::build(plan, self.id, self.stores, &self.starts), inputs)
    }

    /// Gives the stores back unfinished; what was read stays and is not read again.
    pub(crate) fn into_stores(self) -> Box<dyn StateStores> {
        self.stores
    }
}

/// Where the inputs begin: where the group stopped, or at the log's first offset if it never began.
fn input_starts(plan: &Plan, id: &TaskId, reader: &mut dyn Reader) -> Result<BTreeMap<TopicName, InputStart>, LogError> {
    let topics = plan.inputs_of(id);
    let partitions: Vec<TopicPartition> =
        topics.iter().map(|topic| TopicPartition { topic: topic.clone(), partition: id.partition }).collect();
    let committed = reader.committed(&partitions)?;
    let ends = reader.ends(&partitions)?;
    let starts = topics.into_iter().zip(committed.into_iter().zip(ends));
    Ok(starts
        .map(|(topic, (committed, ends))| {
            let from = committed.unwrap_or(Committed { offset: ends.start, metadata: String::new() });
            (topic, InputStart { from, end: ends.end })
        })
        .collect())
}
