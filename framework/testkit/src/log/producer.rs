use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use headwater_core::port::{Committed, GroupMetadata, LogError, Producer, ProducerConfig};
use headwater_core::{Header, Outgoing, TopicPartition};

use super::fault::Call;
use super::handle::MemoryLog;
use super::partition::{Kind, Payload};
use super::transactions::Identity;

/// Dropping it leaves its transaction open, as a crash would.
pub(super) struct MemoryProducer {
    log: MemoryLog,
    transactional_id: Option<String>,
    /// None until `init`.
    epoch: Option<u32>,
    /// Why the open transaction can only be aborted.
    doomed: Option<String>,
    /// By partition, the offset after the last tracked record.
    delivered: BTreeMap<TopicPartition, i64>,
    /// What was refused since the last flush or abort: a broker's answer comes later.
    refused: Option<LogError>,
    /// Header keys written: the engine uses few, so each is allocated once.
    header_keys: Vec<Arc<str>>,
}

impl MemoryProducer {
    pub fn new(log: MemoryLog, config: &ProducerConfig) -> MemoryProducer {
        let transactional_id = config.transactional_id.clone();
        MemoryProducer {
            log,
            transactional_id,
            epoch: None,
            doomed: None,
            delivered: BTreeMap::new(),
            refused: None,
            header_keys: Vec::new(),
        }
    }

    /// Fails if a fault is armed for this call, or the transaction cannot go on.
    fn enter(&mut self, call: Call) -> Result<(), LogError> {
        let result = self.log.lock().faults.strike(self.transactional_id.as_deref(), call);
        self.remember(result)?;
        if matches!(call, Call::Send | Call::Flush | Call::Commit)
            && let Some(refused) = self.refused.take()
        {
            return self.remember(Err(refused));
        }
        match &self.doomed {
            Some(why) if matches!(call, Call::Send | Call::Flush | Call::Commit) => Err(LogError::AbortTransaction(why.clone())),
            _ => Ok(()),
        }
    }

    fn remember<T>(&mut self, result: Result<T, LogError>) -> Result<T, LogError> {
        if let (Err(error @ (LogError::AbortTransaction(_) | LogError::Refused { .. })), Some(_)) =
            (&result, &self.transactional_id)
        {
            self.doomed = Some(match error {
                LogError::AbortTransaction(why) => why.clone(),
                other => other.to_string(),
            });
        }
        result
    }

    /// None without a transactional id.
    fn identity(&self) -> Result<Option<Identity<'_>>, LogError> {
        match (&self.transactional_id, self.epoch) {
            (None, _) => Ok(None),
            (Some(id), Some(epoch)) => Ok(Some(Identity { id, epoch })),
            (Some(id), None) => Err(LogError::Fatal(format!("transactional id {id:?} is not registered: call init first"))),
        }
    }

    fn payload(&mut self, record: &Outgoing<'_>) -> Payload {
        let copy = |bytes: Option<&[u8]>| bytes.map(Bytes::copy_from_slice);
        let headers = record.headers.iter().map(|(key, value)| self.header(key, *value)).collect();
        Payload { timestamp: record.timestamp, key: copy(record.key), value: copy(record.value), headers }
    }

    fn header(&mut self, key: &str, value: Option<&[u8]>) -> Header {
        let known = self.header_keys.iter().find(|known| ***known == *key).cloned();
        let key = known.unwrap_or_else(|| {
            self.header_keys.push(key.into());
            key.into()
        });
        Header { key, value: value.map(Bytes::copy_from_slice) }
    }
}

impl Producer for MemoryProducer {
    fn init(&mut self) -> Result<(), LogError> {
        self.enter(Call::Init)?;
        if self.epoch.is_some() {
            // A zombie cannot take its id back: only a new handle may fence.
            self.identity()?.map_or(Ok(()), |producer| self.log.lock().check_producer(producer))?;
        }
        if let Some(id) = &self.transactional_id {
            self.epoch = Some(self.log.change(|state| state.init_producer(id)));
            (self.doomed, self.refused) = (None, None);
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<(), LogError> {
        self.enter(Call::Begin)?;
        match self.identity()? {
            Some(producer) => self.log.lock().begin_transaction(producer),
            None => Ok(()),
        }
    }

    fn send(&mut self, record: Outgoing<'_>) -> Result<(), LogError> {
        self.enter(Call::Send)?;
        let to = TopicPartition { topic: record.topic.clone(), partition: record.partition };
        let accepted = {
            let state = self.log.lock();
            state.refusals.check(&record, &state.topics)
        };
        if let Err(refused) = accepted {
            self.refused = Some(refused);
            return Ok(());
        }
        let payload = self.payload(&record);
        let offset = match self.identity()? {
            Some(producer) => self.log.change_uncommitted(|state| state.send_in_transaction(producer, &to, payload))?,
            None => self.log.change(|state| {
                let partition = state.topics.partition_mut(&to.topic, to.partition)?;
                Ok(partition.append(payload, Kind::Plain))
            })?,
        };
        if record.track_offset {
            self.delivered.insert(to, offset + 1);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), LogError> {
        self.enter(Call::Flush)?;
        match self.identity()? {
            Some(producer) => self.log.lock().check_producer(producer),
            None => Ok(()),
        }
    }

    fn commit(&mut self, offsets: &[(TopicPartition, Committed)], group: &GroupMetadata) -> Result<(), LogError> {
        self.enter(Call::Commit)?;
        let result = match self.identity()? {
            Some(producer) => self.log.change(|state| state.commit_transaction(producer, offsets, group)),
            None => self.log.change(|state| state.commit_offsets(offsets, group)),
        };
        self.remember(result)
    }

    fn acknowledged(&mut self) -> Result<bool, LogError> {
        self.enter(Call::Flush)?;
        Ok(!self.log.lock().delays.acknowledgements)
    }

    fn commit_offsets(&mut self, offsets: &[(TopicPartition, Committed)], group: &GroupMetadata) -> Result<(), LogError> {
        self.commit(offsets, group)
    }

    fn offsets_committed(&mut self, timeout: Duration) -> Result<bool, LogError> {
        self.enter(Call::Answer)?;
        Ok(!self.log.lock().delays.answers || !timeout.is_zero())
    }

    fn abort(&mut self) -> Result<(), LogError> {
        self.enter(Call::Abort)?;
        self.refused = None;
        if let Some(producer) = self.identity()? {
            self.log.change(|state| state.abort_transaction(producer))?;
            self.doomed = None;
            self.delivered.clear();
        }
        Ok(())
    }

    fn take_delivered(&mut self) -> Vec<(TopicPartition, i64)> {
        std::mem::take(&mut self.delivered).into_iter().collect()
    }
}
