use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use headwater_core::port::{Batch, Committed, Ends, LogError, Reader, TopicId};
use headwater_core::{Record, TopicName, TopicPartition};

use super::site::Site;
use crate::fault::Call;
use crate::mark::Mark;
use crate::mutation::Mutation;

/// How far a changelog is read back.
struct Restoring {
    position: i64,
    end: i64,
}

pub struct SimReader {
    inner: Box<dyn Reader>,
    site: Site,
    fetch: usize,
    /// Paused by the engine.
    paused: BTreeSet<TopicPartition>,
    assigned: BTreeMap<TopicPartition, i64>,
    restoring: BTreeMap<TopicPartition, Restoring>,
}

impl SimReader {
    pub fn new(inner: Box<dyn Reader>, site: Site, fetch: usize) -> SimReader {
        SimReader { inner, site, fetch, paused: BTreeSet::new(), assigned: BTreeMap::new(), restoring: BTreeMap::new() }
    }

    fn mark_if(&self, reached: bool, mark: Mark) {
        self.site.control.lock().mark_if(reached, mark);
    }

    /// Where the restore of a changelog ends; for a table, whose topic is its changelog, the committed position.
    fn told(&self, partition: &TopicPartition) -> Option<i64> {
        self.site.control.lock().told.get(&(self.site.process, partition.clone())).copied()
    }

    fn is(&self, mutation: Mutation) -> bool {
        self.site.control.lock().is(mutation)
    }

    fn began(&mut self, partition: &TopicPartition, offset: i64) {
        let changelog = self.site.facts.changelogs.contains(&partition.topic);
        if changelog {
            let end = self.told(partition).unwrap_or(offset);
            let start = self.inner.ends(std::slice::from_ref(partition)).map_or(0, |ends| ends[0].start);
            let stable = self.site.log.last_stable_offset(&partition.topic, partition.partition);
            self.mark_if(offset == start, Mark::RestoreWhole);
            self.mark_if(offset > start, Mark::RestoreTail);
            self.mark_if(end > stable, Mark::RestoreBehindOpen);
            self.restoring.insert(partition.clone(), Restoring { position: offset, end });
            self.site.line("restores", partition.to_string(), Some(offset), || format!("to {end}"));
        } else if let Some(end) = self.told(partition).filter(|end| offset < *end) {
            self.restoring.insert(partition.clone(), Restoring { position: offset, end });
            self.site.line("restores", partition.to_string(), Some(offset), || format!("to {end}, a table"));
        } else {
            self.restoring.remove(partition);
            let mut control = self.site.control.lock();
            control.ledgers[self.site.facts.generation].begins(self.site.process, partition, offset);
            drop(control);
            self.site.line("reads", partition.to_string(), Some(offset), String::new);
        }
    }

    /// Looks at what was read and, with some mutations, spoils it.
    fn look_at(&mut self, batch: &mut Batch) {
        let changelog = self.site.facts.changelogs.contains(&batch.partition.topic);
        if self.is(Mutation::LastVisible) {
            let before = self.assigned.get(&batch.partition).copied().unwrap_or(0);
            batch.position = batch.records.last().map_or(before, |last| last.offset + 1);
        }
        let end = self.site.facts.spans.get(&batch.partition).map(|span| span.end);
        self.mark_if(end.is_some_and(|end| batch.records.iter().any(|record| record.offset >= end)), Mark::BoundedBeyond);
        if self.is(Mutation::EndTimeLost) {
            batch.records.iter_mut().for_each(lose_end_time);
        }
        if changelog && self.is(Mutation::TombstonesLost) {
            batch.records.retain(|record| record.value.is_some());
        }
        if self.site.facts.repartitions.contains(&batch.partition.topic) && self.is(Mutation::MarkersLost) {
            batch.records.retain(|record| record.key.is_some() || record.value.is_some());
        }
        let moved = self.assigned.insert(batch.partition.clone(), batch.position) != Some(batch.position);
        if moved || !batch.records.is_empty() {
            self.site.control.lock().progress += 1;
        }
        let restoring = self.restoring.contains_key(&batch.partition);
        self.restored(batch);
        let (count, at_end) = (batch.records.len(), batch.at_end);
        let records = || format!("{count} records{}", if at_end { ", the end" } else { "" });
        self.site.line(if restoring { "restored" } else { "read" }, batch.partition.to_string(), Some(batch.position), records);
    }

    fn restored(&mut self, batch: &Batch) {
        let Some(restoring) = self.restoring.get_mut(&batch.partition) else { return };
        let Restoring { position, end } = *restoring;
        restoring.position = batch.position;
        let (first, last) = (batch.records.first().map(|r| r.offset), batch.records.last().map(|r| r.offset));
        let mut control = self.site.control.lock();
        control.mark_if(batch.records.iter().any(|record| record.offset >= end), Mark::RestorePastEnd);
        control.mark_if(batch.records.iter().any(|record| record.value.is_none()), Mark::RestoreTombstone);
        let compacted = control.changed.contains(&*batch.partition.topic);
        let gap = batch.records.windows(2).any(|pair| pair[0].offset + 1 < pair[1].offset)
            || first.is_some_and(|first| first > position);
        control.mark_if(gap && compacted, Mark::RestoreGap);
        let invisible = batch.position >= end && position < end && last.is_none_or(|last| last + 1 < end);
        control.mark_if(invisible, Mark::RestoreInvisibleTail);
    }
}

impl SimReader {
    /// What committed positions are to a bounded run.
    fn look_at_bounds(&self, partitions: &[TopicPartition], committed: &mut [Option<Committed>]) {
        let Site { control, facts, log, process, .. } = &self.site;
        let mut control = control.lock();
        for (partition, committed) in partitions.iter().zip(committed) {
            let takes_over = committed.as_ref().is_some_and(|committed| committed.metadata.contains('$'));
            control.mark_if(takes_over, Mark::BoundedEndKept);
            if control.is(Mutation::EndsForgotten) {
                committed.iter_mut().for_each(|committed| {
                    committed.metadata.truncate(committed.metadata.find('$').unwrap_or(committed.metadata.len()));
                });
            }
            let Some(span) = facts.spans.get(partition) else { continue };
            let offset = committed.as_ref().map_or(span.start, |committed| committed.offset);
            if offset >= span.end {
                // It is not read any more.
                control.ledgers[facts.generation].begins(*process, partition, offset);
            }
            let stable = log.last_stable_offset(&partition.topic, partition.partition);
            control.mark_if((offset..span.end).contains(&stable), Mark::BoundedBehindOpen);
            let start = log.read_all(&partition.topic, partition.partition, false).first().map_or(0, |record| record.offset);
            if control.is(Mutation::TrimmedOver) && offset < start.min(span.end) {
                let metadata = committed.take().map(|committed| committed.metadata).unwrap_or_default();
                *committed = Some(Committed { offset: start, metadata });
            }
        }
    }
}

/// An upstream task's last word, without the time it has reached (`core::task::header`).
fn lose_end_time(record: &mut Record) {
    let Some(header) = record.headers.iter_mut().find(|header| &*header.key == super::TIME_HEADER) else { return };
    let Some(value) = header.value.as_ref().filter(|value| value.len() == super::TIME_LENGTH && value[1] & 2 == 2) else {
        return;
    };
    let mut bytes = value.to_vec();
    bytes[6..14].copy_from_slice(&i64::MIN.to_be_bytes());
    header.value = Some(bytes.into());
}

impl Reader for SimReader {
    fn leave_out_headers(&mut self, topics: &[TopicName]) {
        self.inner.leave_out_headers(topics);
    }

    fn assign(&mut self, partitions: &[(TopicPartition, i64)]) -> Result<(), LogError> {
        let SimReader { inner, site, .. } = self;
        site.call(Call::ReaderAssign, || inner.assign(partitions))?;
        for (partition, offset) in partitions {
            self.paused.remove(partition);
            self.assigned.insert(partition.clone(), *offset);
            self.began(partition, *offset);
        }
        Ok(())
    }

    fn unassign(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError> {
        let SimReader { inner, site, .. } = self;
        site.call(Call::ReaderUnassign, || inner.unassign(partitions))?;
        for partition in partitions {
            self.paused.remove(partition);
            self.assigned.remove(partition);
            let interrupted = self.restoring.remove(partition).is_some_and(|restoring| restoring.position < restoring.end);
            self.mark_if(interrupted, Mark::RestoreInterrupted);
        }
        Ok(())
    }

    fn pause(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError> {
        let SimReader { inner, site, .. } = self;
        site.call(Call::ReaderPause, || inner.pause(partitions))?;
        self.paused.extend(partitions.iter().cloned());
        self.mark_if(true, Mark::Paused);
        Ok(())
    }

    fn resume(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError> {
        let SimReader { inner, site, .. } = self;
        site.call(Call::ReaderPause, || inner.resume(partitions))?;
        partitions.iter().for_each(|partition| {
            self.paused.remove(partition);
        });
        self.mark_if(true, Mark::Resumed);
        Ok(())
    }

    fn poll(&mut self, max_records: usize, timeout: Duration) -> Result<Vec<Batch>, LogError> {
        let control = self.site.control.lock();
        let now = control.now;
        let unavailable = |partition: &&TopicPartition| control.unavailable.get(*partition).is_some_and(|until| now < *until);
        let away: Vec<TopicPartition> =
            self.assigned.keys().filter(unavailable).filter(|partition| !self.paused.contains(*partition)).cloned().collect();
        drop(control);
        let SimReader { inner, site, fetch, .. } = self;
        let most = if site.facts.spans.is_empty() { *fetch } else { site.control.lock().dice.between(1, *fetch as i64) as usize };
        let mut batches = site.call(Call::ReaderPoll, || {
            inner.pause(&away)?;
            let batches = inner.poll(max_records.min(most), timeout);
            inner.resume(&away)?;
            site.control.lock().mark_if(matches!(batches, Err(LogError::OutOfRange { .. })), Mark::OutOfRange);
            batches
        })?;
        batches.iter_mut().for_each(|batch| self.look_at(batch));
        // A client may hand out one partition's records in several batches of one poll.
        Ok(batches.into_iter().flat_map(halves).collect())
    }

    fn committed(&mut self, partitions: &[TopicPartition]) -> Result<Vec<Option<Committed>>, LogError> {
        let SimReader { inner, site, .. } = self;
        let mut committed = site.call(Call::ReaderCommitted, || inner.committed(partitions))?;
        self.mark_if(committed.iter().all(Option::is_none), Mark::EmptyStart);
        for (partition, position) in partitions.iter().zip(&committed) {
            let offset = position.as_ref().map_or(0, |position| position.offset);
            self.site.control.lock().told.insert((self.site.process, partition.clone()), offset);
        }
        self.look_at_bounds(partitions, &mut committed);
        if self.is(Mutation::TimeForgotten) {
            committed.iter_mut().flatten().for_each(|position| position.metadata.clear());
        }
        Ok(committed)
    }

    fn ends(&mut self, partitions: &[TopicPartition]) -> Result<Vec<Ends>, LogError> {
        let SimReader { inner, site, .. } = self;
        let mut ends = site.call(Call::ReaderEnds, || inner.ends(partitions))?;
        let stable = self.is(Mutation::RestoreToStable);
        for (partition, ends) in partitions.iter().zip(&mut ends) {
            if stable && self.site.facts.changelogs.contains(&partition.topic) {
                ends.end = self.site.log.last_stable_offset(&partition.topic, partition.partition);
            }
            if self.site.facts.changelogs.contains(&partition.topic) {
                self.site.control.lock().told.insert((self.site.process, partition.clone()), ends.end);
            }
        }
        Ok(ends)
    }

    fn topic_ids(&mut self, topics: &[TopicName]) -> Result<Vec<Option<TopicId>>, LogError> {
        let SimReader { inner, site, .. } = self;
        site.call(Call::ReaderEnds, || inner.topic_ids(topics))
    }

    fn cached_end(&self, partition: &TopicPartition) -> Option<i64> {
        self.inner.cached_end(partition)
    }
}

fn halves(mut batch: Batch) -> Vec<Batch> {
    if batch.records.len() < 2 {
        return vec![batch];
    }
    let rest = batch.records.split_off(batch.records.len() / 2);
    let position = rest[0].offset;
    let first = Batch { records: std::mem::take(&mut batch.records), position, at_end: false, ..batch.clone() };
    vec![first, Batch { records: rest, ..batch }]
}
