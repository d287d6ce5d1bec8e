//! The log as whoever attends to hand-overs for a process sees it. It reads what another group has committed and writes only to the control
//! topic, so the books of the workers' ports are not for it.

use std::time::Duration;

use headwater_core::port::{
    Admin, Batch, Committed, Ends, GroupMetadata, Log, LogError, Membership, MembershipConfig, Producer, ProducerConfig, Reader,
    ReaderConfig, TopicId,
};
use headwater_core::{Outgoing, Record, TopicName, TopicPartition};

use super::admin::SimAdmin;
use super::site::{Site, crashed};
use crate::fault::Call;
use crate::mutation::Mutation;

#[derive(Clone)]
pub struct DeskLog {
    pub site: Site,
    /// Whether its calls meet faults besides those that the process meets.
    pub faults: bool,
}

impl DeskLog {
    /// A call of the desk's; none has an effect once its process is gone.
    fn call<R>(&self, call: Call, effect: impl FnOnce() -> Result<R, LogError>) -> Result<R, LogError> {
        if self.faults {
            return self.site.call(call, effect);
        }
        let control = self.site.control.lock();
        let gone = control.is_gone((self.site.process, self.site.life)) || control.violation.is_some();
        drop(control);
        if gone { Err(crashed()) } else { effect() }
    }
}

impl Log for DeskLog {
    fn admin(&self) -> Result<Box<dyn Admin>, LogError> {
        Ok(Box::new(SimAdmin { inner: self.site.log.admin()?, site: self.site.clone() }))
    }

    fn membership(&self, _config: &MembershipConfig) -> Result<Box<dyn Membership>, LogError> {
        Err(LogError::Fatal("a desk is no member".into()))
    }

    fn reader(&self, config: &ReaderConfig) -> Result<Box<dyn Reader>, LogError> {
        Ok(Box::new(DeskReader { inner: self.site.log.reader(config)?, log: self.clone() }))
    }

    fn producer(&self, config: &ProducerConfig) -> Result<Box<dyn Producer>, LogError> {
        let inner = self.call(Call::ProducerOpen, || self.site.log.producer(config))?;
        Ok(Box::new(DeskProducer { inner, log: self.clone(), id: config.transactional_id.clone() }))
    }
}

struct DeskReader {
    inner: Box<dyn Reader>,
    log: DeskLog,
}

impl Reader for DeskReader {
    fn assign(&mut self, partitions: &[(TopicPartition, i64)]) -> Result<(), LogError> {
        self.log.call(Call::ReaderAssign, || self.inner.assign(partitions))
    }

    fn unassign(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError> {
        self.log.call(Call::ReaderUnassign, || self.inner.unassign(partitions))
    }

    fn pause(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError> {
        self.log.call(Call::ReaderPause, || self.inner.pause(partitions))
    }

    fn resume(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError> {
        self.log.call(Call::ReaderPause, || self.inner.resume(partitions))
    }

    fn poll(&mut self, max_records: usize, timeout: Duration) -> Result<Vec<Batch>, LogError> {
        let mut batches = self.log.call(Call::ReaderPoll, || self.inner.poll(max_records, timeout))?;
        let Site { control, facts, .. } = &self.log.site;
        if facts.generation > 0 && control.lock().is(Mutation::SealedAsPromoted) {
            batches.iter_mut().flat_map(|batch| &mut batch.records).for_each(promote);
        }
        Ok(batches)
    }

    fn committed(&mut self, partitions: &[TopicPartition]) -> Result<Vec<Option<Committed>>, LogError> {
        let mut committed = self.log.call(Call::ReaderCommitted, || self.inner.committed(partitions))?;
        let Site { control, facts, .. } = &self.log.site;
        if facts.generation > 0 && control.lock().is(Mutation::ClocksStripped) {
            committed.iter_mut().flatten().for_each(|committed| committed.metadata.clear());
        }
        Ok(committed)
    }

    fn ends(&mut self, partitions: &[TopicPartition]) -> Result<Vec<Ends>, LogError> {
        self.log.call(Call::ReaderEnds, || self.inner.ends(partitions))
    }

    fn topic_ids(&mut self, topics: &[TopicName]) -> Result<Vec<Option<TopicId>>, LogError> {
        self.log.call(Call::ReaderEnds, || self.inner.topic_ids(topics))
    }

    fn cached_end(&self, partition: &TopicPartition) -> Option<i64> {
        self.inner.cached_end(partition)
    }
}

/// Of a record that tells of the cut, one that tells of the hand-over.
fn promote(record: &mut Record) {
    let Some(value) = &record.value else { return };
    let text = String::from_utf8_lossy(value);
    if text.contains("\"to\":") {
        let text = text.replace("\"step\":\"sealed\"", "\"step\":\"promoted\"");
        record.value = Some(text.into_bytes().into());
    }
}

struct DeskProducer {
    inner: Box<dyn Producer>,
    log: DeskLog,
    id: Option<String>,
}

impl DeskProducer {
    /// Makes a call. Who is told that another producer has taken over is told the truth.
    fn call<R>(&mut self, call: Call, effect: impl FnOnce(&mut dyn Producer) -> Result<R, LogError>) -> Result<R, LogError> {
        let DeskProducer { inner, log, id } = self;
        let result = log.call(call, || effect(inner.as_mut()));
        if let (Err(LogError::Fenced(_)), Some(id)) = (&result, id) {
            let config = ProducerConfig { transactional_id: Some(id.clone()) };
            let _ = log.site.log.producer(&config).map(|mut other| other.init());
        }
        result
    }
}

impl Producer for DeskProducer {
    fn init(&mut self) -> Result<(), LogError> {
        self.call(Call::ProducerInit, |inner| inner.init())
    }

    fn begin(&mut self) -> Result<(), LogError> {
        self.call(Call::ProducerBegin, |inner| inner.begin())
    }

    fn send(&mut self, record: Outgoing<'_>) -> Result<(), LogError> {
        self.call(Call::ProducerSend, |inner| inner.send(record))?;
        let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
        let place = record.topic.to_string();
        self.log.site.line("tells", place, None, || format!("{}={}", text(record.key), text(record.value)));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), LogError> {
        self.inner.flush()
    }

    fn commit(&mut self, offsets: &[(TopicPartition, Committed)], group: &GroupMetadata) -> Result<(), LogError> {
        self.call(Call::ProducerCommit, |inner| inner.commit(offsets, group))
    }

    fn abort(&mut self) -> Result<(), LogError> {
        self.call(Call::ProducerAbort, |inner| inner.abort())
    }

    fn take_delivered(&mut self) -> Vec<(TopicPartition, i64)> {
        self.inner.take_delivered()
    }
}
