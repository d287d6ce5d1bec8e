use std::time::Duration;

use bytes::Bytes;
use headwater_core::port::{Committed, GroupMetadata, Log, LogError, Producer, ProducerConfig};
use headwater_core::{Outgoing, TopicPartition};

use super::site::Site;
use super::{TIME_HEADER, TIME_LENGTH};
use crate::disk::{Disk, Early};
use crate::fault::Call;
use crate::mark::Mark;
use crate::mutation::Mutation;

pub struct SimProducer {
    inner: Box<dyn Producer>,
    site: Site,
    disk: Disk,
    id: String,
    open: bool,
    /// The open transaction can only be aborted.
    doomed: bool,
    /// The log's time at the first record of the open transaction.
    first_record: Option<Duration>,
    /// The open transaction's changelog records.
    changes: Vec<(TopicPartition, Bytes, Option<Bytes>)>,
    /// Results in the open transaction.
    said: usize,
    /// The lanes whose end the open transaction tells.
    ends: Vec<(TopicPartition, i32)>,
    /// What a mutation took from the client before the engine asked.
    delivered: Vec<(TopicPartition, i64)>,
}

impl SimProducer {
    pub fn new(inner: Box<dyn Producer>, site: Site, disk: Disk, id: String) -> SimProducer {
        let (changes, delivered) = (Vec::new(), Vec::new());
        SimProducer {
            inner,
            site,
            disk,
            id,
            open: false,
            doomed: false,
            first_record: None,
            changes,
            said: 0,
            ends: Vec::new(),
            delivered,
        }
    }

    fn is(&self, mutation: Mutation) -> bool {
        self.site.control.lock().is(mutation)
    }

    /// Makes a call; one that breaks the rules of Kafka's producer is the engine's defect.
    fn call<R>(
        &mut self,
        call: Call,
        needs_open: Option<bool>,
        effect: impl FnOnce(&mut dyn Producer) -> Result<R, LogError>,
    ) -> Result<R, LogError> {
        if needs_open.is_some_and(|open| open != self.open) {
            let text = format!("{call:?} while {} transaction of {} is open", if self.open { "a" } else { "no" }, self.id);
            self.site.control.lock().violate("rule of the producer", text);
        }
        if self.doomed && matches!(call, Call::ProducerSend | Call::ProducerCommit) {
            return Err(LogError::AbortTransaction("it failed before".into()));
        }
        let inner = self.inner.as_mut();
        let log = self.site.log.clone();
        let mut fenced = false;
        let result = self.site.call(call, || {
            let result = effect(inner);
            fenced = matches!(result, Err(LogError::Fenced(_)));
            result
        });
        let late = self.first_record.is_some_and(|first| log.now().saturating_sub(first) >= Duration::from_secs(10));
        self.site.control.lock().mark_if(fenced && late, Mark::TimedOut);
        self.doomed |= self.open && matches!(result, Err(LogError::AbortTransaction(_)));
        result
    }

    fn opened(&mut self, open: bool) {
        let mut control = self.site.control.lock();
        if open {
            control.open_ids.insert(self.id.clone());
            control.processes[self.site.process].open += 1;
        } else {
            control.open_ids.remove(&self.id);
            control.processes[self.site.process].open -= 1;
        }
        drop(control);
        (self.open, self.doomed, self.first_record) = (open, false, None);
        self.changes.clear();
        self.said = 0;
        self.ends.clear();
    }

    /// What is told of a record before it is sent.
    fn look_at(&mut self, record: &Outgoing<'_>) {
        let facts = &self.site.facts;
        self.said += usize::from(facts.outputs.contains(record.topic));
        let partition = TopicPartition { topic: record.topic.clone(), partition: record.partition };
        if facts.changelogs.contains(record.topic) {
            let closed = record.value.is_none() && facts.timed.contains(record.topic);
            self.site.control.lock().mark_if(closed, Mark::Closed);
            let copy = |bytes: Option<&[u8]>| bytes.map(Bytes::copy_from_slice);
            self.changes.push((partition, copy(record.key).unwrap_or_default(), copy(record.value)));
            return;
        }
        let header = match (record.headers.first(), record.value) {
            (Some((TIME_HEADER, header)), _) => *header,
            (None, Some(value)) if facts.repartitions.contains(record.topic) => {
                value.last_chunk::<TIME_LENGTH>().map(|header| &header[..])
            }
            _ => None,
        };
        let Some(header) = header else { return };
        let (Some(flags), Some(lane)) = (header.get(1), header.get(2..6)) else { return };
        let lane = i32::from_be_bytes(lane.try_into().expect("four bytes"));
        let (idle, ended) = (flags & 1 == 1, flags & 2 == 2);
        let mut control = self.site.control.lock();
        if ended {
            let again = control.ended_lanes.contains(&(partition.clone(), lane));
            control.mark_if(again, Mark::BoundedEndTwice);
            self.ends.push((partition.clone(), lane));
        }
        control.mark_if(record.key.is_none() && record.value.is_none(), Mark::MarkerSent);
        control.mark_if(idle, Mark::IdleTold);
        let was_idle =
            if idle { !control.idle_lanes.insert((partition, lane)) } else { control.idle_lanes.remove(&(partition, lane)) };
        control.mark_if(was_idle && !idle, Mark::IdleEnded);
    }

    /// What a mutation does too early.
    fn before_commit(&mut self, offsets: &[(TopicPartition, Committed)], group: &GroupMetadata) -> Result<(), LogError> {
        if self.is(Mutation::StateBeforeCommit) {
            self.disk.early(&self.site.facts, &Early::Changes(&self.changes));
        }
        if self.is(Mutation::OffsetBeforeCommit) {
            self.delivered = self.inner.take_delivered();
            self.disk.early(&self.site.facts, &Early::Offsets(&self.delivered));
        }
        if self.is(Mutation::PositionsOutside) {
            let mut outside = self.site.log.producer(&ProducerConfig { transactional_id: None })?;
            outside.init()?;
            let written = outside.commit(offsets, group);
            self.took_effect(if written.is_ok() { offsets } else { &[] });
        }
        Ok(())
    }

    /// A commit's effect on the books.
    fn took_effect(&self, offsets: &[(TopicPartition, Committed)]) {
        let Site { process, control, facts, log, .. } = &self.site;
        let mut control = control.lock();
        control.progress += 1;
        control.commits += 1;
        let wrong = control.turns.as_mut().map(|turns| turns.commits(*process, facts, log, offsets, self.said));
        wrong.into_iter().flatten().for_each(|(kind, text)| control.violate(kind, text));
        let wrong = control.ledgers[facts.generation].commits(*process, offsets);
        wrong.into_iter().for_each(|(kind, text)| control.violate(kind, text));
        for (changelog, _, _) in &self.changes {
            control.writers.insert(changelog.clone(), *process);
        }
        control.ended_lanes.extend(self.ends.iter().cloned());
    }

    /// With a mutation, whoever is a member lends its membership.
    fn commit_as_anybody(&mut self, offsets: &[(TopicPartition, Committed)]) -> bool {
        let all: Vec<GroupMetadata> =
            self.site.control.lock().processes.iter().filter_map(|process| process.membership.clone()).collect();
        all.iter().any(|membership| self.inner.commit(offsets, membership).is_ok())
    }

    fn commit_for_real(&mut self, offsets: &[(TopicPartition, Committed)], group: &GroupMetadata) -> Result<(), LogError> {
        self.before_commit(offsets, group)?;
        match self.inner.commit(offsets, group) {
            Err(LogError::Fenced(_)) if self.is(Mutation::Unfenced) && self.commit_as_anybody(offsets) => {}
            Err(error) => {
                let refused = error.to_string().contains("of group");
                self.site.control.lock().mark_if(refused, Mark::CommitRefused);
                self.site.line("refused", String::new(), None, || error.to_string());
                return Err(error);
            }
            Ok(()) => {}
        }
        self.took_effect(offsets);
        let (id, count) = (self.id.clone(), self.changes.len());
        self.site.line("commits", id, None, || format!("{count} changes"));
        for (partition, committed) in offsets {
            self.site.line("  position", partition.to_string(), Some(committed.offset), || committed.metadata.clone());
        }
        Ok(())
    }

    /// The reply of a commit that took effect was not given: what that means, for the books and the log.
    fn reply_missing(&mut self, error: &LogError) {
        let Site { control, log, .. } = self.site.clone();
        if let LogError::Fenced(_) = error {
            control.lock().mark(Mark::CommitUnknown);
            // What it was told must be true.
            let config = ProducerConfig { transactional_id: Some(self.id.clone()) };
            let _ = log.producer(&config).map(|mut other| other.init());
        } else {
            control.lock().mark(Mark::CommitCrash);
        }
        self.opened(false);
    }
}

impl Producer for SimProducer {
    fn init(&mut self) -> Result<(), LogError> {
        let dirty = self.site.control.lock().open_ids.contains(&self.id);
        self.call(Call::ProducerInit, None, |inner| inner.init())?;
        let mut control = self.site.control.lock();
        control.mark_if(dirty, Mark::TakeOverDirty);
        control.open_ids.remove(&self.id);
        drop(control);
        self.site.line("registers", self.id.clone(), None, String::new);
        Ok(())
    }

    fn begin(&mut self) -> Result<(), LogError> {
        self.call(Call::ProducerBegin, Some(false), |inner| inner.begin())?;
        self.opened(true);
        self.site.line("begins", self.id.clone(), None, String::new);
        Ok(())
    }

    fn send(&mut self, record: Outgoing<'_>) -> Result<(), LogError> {
        self.call(Call::ProducerSend, Some(true), |inner| inner.send(record))?;
        let now = self.site.log.now();
        self.first_record.get_or_insert(now);
        self.look_at(&record);
        let (topic, partition) = (record.topic, record.partition);
        let end = || self.site.log.high_watermark(topic, partition) - 1;
        let offset = if self.site.control.lock().trace.is_some() { Some(end()) } else { None };
        self.site.line("sends", format!("{topic}-{partition}"), offset, || shown(&record));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), LogError> {
        self.inner.flush()
    }

    fn commit(&mut self, offsets: &[(TopicPartition, Committed)], group: &GroupMetadata) -> Result<(), LogError> {
        let mut committed_by = None;
        // Taken apart, because the call's effect needs more of this producer than the one inside.
        let site = self.site.clone();
        if !self.open {
            site.control.lock().violate("rule of the producer", format!("commit while no transaction of {} is open", self.id));
        }
        let result = if self.doomed {
            Err(LogError::AbortTransaction("it failed before".into()))
        } else {
            site.call(Call::ProducerCommit, || {
                self.commit_for_real(offsets, group)?;
                committed_by = Some(site.control.lock().commits);
                Ok(())
            })
        };
        match (result, committed_by) {
            (Ok(()), commits) => {
                let mut control = site.control.lock();
                let overtaken = commits.is_some_and(|commits| control.commits > commits);
                control.mark_if(overtaken, Mark::CommitOvertaken);
                drop(control);
                self.opened(false);
                Ok(())
            }
            (Err(error), Some(_)) => {
                self.reply_missing(&error);
                Err(error)
            }
            (Err(LogError::Fatal(text)), None) => Err(LogError::Fatal(text)),
            (Err(error), None) if self.is(Mutation::CommitAssumed) => {
                let _ = self.inner.abort();
                self.opened(false);
                self.site.line("assumes", self.id.clone(), None, || format!("done, but {error}"));
                Ok(())
            }
            (Err(error), None) => {
                self.doomed |= matches!(error, LogError::AbortTransaction(_));
                Err(error)
            }
        }
    }

    fn abort(&mut self) -> Result<(), LogError> {
        let with_state = !self.changes.is_empty();
        self.call(Call::ProducerAbort, Some(true), |inner| inner.abort())?;
        self.site.control.lock().mark_if(with_state, Mark::AbortState);
        self.site.line("aborts", self.id.clone(), None, String::new);
        self.opened(false);
        Ok(())
    }

    fn take_delivered(&mut self) -> Vec<(TopicPartition, i64)> {
        let mut delivered = std::mem::take(&mut self.delivered);
        delivered.extend(self.inner.take_delivered());
        if self.is(Mutation::OffsetTooHigh) {
            // Past the transaction's marker would still be right.
            delivered.iter_mut().for_each(|(_, offset)| *offset += 2);
        }
        delivered
    }
}

/// Dropped with a transaction open: its process died, or it was fenced.
impl Drop for SimProducer {
    fn drop(&mut self) {
        if self.open {
            let mut control = self.site.control.lock();
            let process = &mut control.processes[self.site.process];
            process.open = process.open.saturating_sub(1);
        }
    }
}

fn shown(record: &Outgoing<'_>) -> String {
    let text = |bytes: Option<&[u8]>| bytes.map_or_else(|| String::from("-"), |bytes| bytes.escape_ascii().to_string());
    let (key, value) = (text(record.key), text(record.value));
    format!("@{} {key}={}", record.timestamp.as_millis(), value.chars().take(60).collect::<String>())
}
