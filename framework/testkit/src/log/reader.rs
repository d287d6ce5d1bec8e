use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;
use std::time::Duration;

use headwater_core::port::{Appended, Batch, Committed, Ends, LogError, Reader, ReaderConfig, TopicId};
use headwater_core::{Timestamp, TopicName, TopicPartition};

use super::fault::Call;
use super::handle::MemoryLog;
use super::partition::Partition;
use super::state::{State, Waiter};

pub(super) struct MemoryReader {
    log: MemoryLog,
    group: Arc<str>,
    read_uncommitted: bool,
    partitions: BTreeMap<TopicPartition, Cursor>,
    headerless: BTreeSet<TopicName>,
    /// The partition served last: the next poll begins after it, so that none starves.
    served: Option<TopicPartition>,
}

struct Cursor {
    position: i64,
    paused: bool,
    /// The position at which the end was reported: once each time it is reached.
    end_reported: Option<i64>,
    high_watermark: i64,
}

impl Cursor {
    /// Whether a poll would return something of this partition, be it an error.
    fn has_news(&self, log: &Partition, read_uncommitted: bool) -> bool {
        let Ends { start, end } = log.ends();
        let at_end = self.position >= log.visible_end(read_uncommitted);
        !self.paused && (!at_end || self.end_reported != Some(self.position) || self.position < start || self.position > end)
    }
}

impl MemoryReader {
    pub fn new(log: MemoryLog, config: &ReaderConfig) -> MemoryReader {
        let ReaderConfig { group, read_uncommitted } = config;
        let group = group.as_str().into();
        let (partitions, headerless) = (BTreeMap::new(), BTreeSet::new());
        MemoryReader { log, group, read_uncommitted: *read_uncommitted, partitions, headerless, served: None }
    }

    fn idle(&self, state: &State) -> bool {
        let news = |(partition, cursor): (&TopicPartition, &Cursor)| {
            state.topics.of(partition).map_or(true, |log| cursor.has_news(log, self.read_uncommitted))
        };
        !self.partitions.iter().any(news)
    }

    /// The partitions in the order of this poll.
    fn in_turn(&self) -> Vec<TopicPartition> {
        let Some(served) = &self.served else {
            return self.partitions.keys().cloned().collect();
        };
        let after = self.partitions.range((Excluded(served), Unbounded));
        let before = self.partitions.range(..=served);
        after.chain(before).map(|(partition, _)| partition.clone()).collect()
    }

    /// Before anything is read, so that no position has moved when a poll fails.
    fn check_range(&self, state: &State) -> Result<(), LogError> {
        for (partition, cursor) in self.partitions.iter().filter(|(_, cursor)| !cursor.paused) {
            let (Ends { start, end }, at) = (state.topics.of(partition)?.ends(), cursor.position);
            if at < start || at > end {
                return Err(LogError::OutOfRange { partition: partition.clone(), offset: at, log: Ends { start, end } });
            }
        }
        Ok(())
    }

    fn pause_all(&mut self, partitions: &[TopicPartition], paused: bool) {
        for partition in partitions {
            if let Some(cursor) = self.partitions.get_mut(partition) {
                cursor.paused = paused;
            }
        }
    }
}

/// Reads on in one partition; none if there is nothing to tell. `date` is what clocks show, if that is known.
fn read(
    partition: &TopicPartition,
    cursor: &mut Cursor,
    log: &Partition,
    read_uncommitted: bool,
    max: usize,
    date: Option<Timestamp>,
) -> Option<Batch> {
    cursor.high_watermark = log.ends().end;
    if !cursor.has_news(log, read_uncommitted) {
        return None;
    }
    let from = cursor.position;
    let mut records = Vec::new();
    let progress = log.read(from, read_uncommitted, max, &mut records);
    cursor.position = progress.position;
    let at_end = progress.at_end && cursor.end_reported != Some(cursor.position);
    if at_end {
        cursor.end_reported = Some(cursor.position);
    }
    if cursor.position == from && !at_end {
        return None;
    }
    let appended = date.map_or(Appended::Unknown, Appended::Before);
    Some(Batch { partition: partition.clone(), records, position: cursor.position, at_end, appended })
}

impl Reader for MemoryReader {
    fn leave_out_headers(&mut self, topics: &[TopicName]) {
        self.headerless.extend(topics.iter().cloned());
    }

    fn assign(&mut self, partitions: &[(TopicPartition, i64)]) -> Result<(), LogError> {
        let state = self.log.lock();
        let ends = partitions.iter().map(|(partition, _)| Ok(state.topics.of(partition)?.ends().end));
        let ends = ends.collect::<Result<Vec<i64>, LogError>>()?;
        for ((partition, position), high_watermark) in partitions.iter().zip(ends) {
            let cursor = Cursor { position: *position, paused: false, end_reported: None, high_watermark };
            self.partitions.insert(partition.clone(), cursor);
        }
        Ok(())
    }

    fn unassign(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError> {
        for partition in partitions {
            self.partitions.remove(partition);
        }
        Ok(())
    }

    fn pause(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError> {
        self.pause_all(partitions, true);
        Ok(())
    }

    fn resume(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError> {
        self.pause_all(partitions, false);
        Ok(())
    }

    fn poll(&mut self, max_records: usize, timeout: Duration) -> Result<Vec<Batch>, LogError> {
        let waiter = if self.read_uncommitted { Waiter::Uncommitted } else { Waiter::Committed };
        let turn = self.in_turn();
        let state = self.log.wait(self.log.lock(), timeout, waiter, |state| self.idle(state));
        self.check_range(&state)?;
        let date = state.date.map(|date| date + state.now);
        let mut batches = Vec::new();
        let mut left = max_records;
        for partition in turn {
            let Some(cursor) = self.partitions.get_mut(&partition).filter(|cursor| !cursor.paused) else {
                continue;
            };
            let log = state.topics.of(&partition)?;
            if let Some(mut batch) = read(&partition, cursor, log, self.read_uncommitted, left, date) {
                if self.headerless.contains(&partition.topic) {
                    batch.records.iter_mut().for_each(|record| record.headers.clear());
                }
                left -= batch.records.len();
                if !batch.records.is_empty() {
                    self.served = Some(partition);
                }
                batches.push(batch);
            }
        }
        Ok(batches)
    }

    fn committed(&mut self, partitions: &[TopicPartition]) -> Result<Vec<Option<Committed>>, LogError> {
        // Nothing to wait for: offsets enter a transaction only in the call that commits it.
        let mut state = self.log.lock();
        state.faults.strike(None, Call::Committed)?;
        let group = state.groups.get(&self.group);
        Ok(partitions.iter().map(|partition| group?.offsets.get(partition).cloned()).collect())
    }

    fn ends(&mut self, partitions: &[TopicPartition]) -> Result<Vec<Ends>, LogError> {
        let state = self.log.lock();
        partitions.iter().map(|partition| Ok(state.topics.of(partition)?.ends())).collect()
    }

    fn topic_ids(&mut self, topics: &[TopicName]) -> Result<Vec<Option<TopicId>>, LogError> {
        let state = self.log.lock();
        let id = |topic: &TopicName| state.topics.get(topic).map(|topic| topic.id);
        let unknown = |topic: &TopicName| LogError::UnknownTopic { topic: topic.to_string() };
        topics.iter().map(|topic| id(topic).map(Some).ok_or_else(|| unknown(topic))).collect()
    }

    fn cached_end(&self, partition: &TopicPartition) -> Option<i64> {
        self.partitions.get(partition).map(|cursor| cursor.high_watermark)
    }
}
