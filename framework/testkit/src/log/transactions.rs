use std::collections::BTreeMap;
use std::time::Duration;

use headwater_core::port::{Committed, GroupMetadata, LogError};
use headwater_core::{Timestamp, TopicPartition};

use super::partition::{Kind, Payload, TransactionSeq};
use super::state::State;
use super::topics::Topics;

/// The transactional ids, their epochs and their open transactions.
#[derive(Default)]
pub(super) struct Coordinator {
    /// In order, so that what is aborted at one moment is aborted in the same order each time.
    ids: BTreeMap<String, Registered>,
    last: TransactionSeq,
}

#[derive(Default)]
struct Registered {
    epoch: u32,
    open: Option<Transaction>,
}

struct Transaction {
    seq: TransactionSeq,
    /// When its first record was written: before that a broker does not know of it.
    started: Option<Duration>,
    /// The partitions written to, with the offset of the first record in each.
    touched: BTreeMap<TopicPartition, i64>,
}

/// A producer as the coordinator knows it.
#[derive(Clone, Copy)]
pub(super) struct Identity<'a> {
    pub id: &'a str,
    pub epoch: u32,
}

impl Coordinator {
    fn registered(&mut self, producer: Identity<'_>) -> Result<&mut Registered, LogError> {
        match self.ids.get_mut(producer.id) {
            Some(registered) if registered.epoch == producer.epoch => Ok(registered),
            _ => Err(LogError::Fenced(format!("transactional id {:?} has a newer producer", producer.id))),
        }
    }

    fn open(&mut self, producer: Identity<'_>) -> Result<&mut Transaction, LogError> {
        let none = || LogError::Fatal(format!("transactional id {:?} has no open transaction: begin one first", producer.id));
        self.registered(producer)?.open.as_mut().ok_or_else(none)
    }
}

impl Transaction {
    fn close(self, topics: &mut Topics, committed: bool, now: Duration) {
        let now = Timestamp::default() + now;
        for (partition, first) in self.touched {
            // Topics are never deleted, so a partition that was written to is there.
            if let Ok(log) = topics.partition_mut(&partition.topic, partition.partition) {
                log.close_transaction(first, self.seq, committed, now);
            }
        }
    }
}

impl State {
    /// Gives the id a new epoch; what its predecessor left open is aborted.
    pub fn init_producer(&mut self, id: &str) -> u32 {
        let registered = self.transactions.ids.entry(id.to_owned()).or_default();
        registered.epoch += 1;
        if let Some(left_open) = registered.open.take() {
            left_open.close(&mut self.topics, false, self.now);
        }
        registered.epoch
    }

    pub fn begin_transaction(&mut self, producer: Identity<'_>) -> Result<(), LogError> {
        let seq = self.transactions.last + 1;
        let registered = self.transactions.registered(producer)?;
        if registered.open.is_some() {
            return Err(LogError::Fatal(format!("transactional id {:?} has an open transaction already", producer.id)));
        }
        registered.open = Some(Transaction { seq, started: None, touched: BTreeMap::new() });
        self.transactions.last = seq;
        Ok(())
    }

    pub fn check_producer(&mut self, producer: Identity<'_>) -> Result<(), LogError> {
        self.transactions.registered(producer).map(|_| ())
    }

    /// Writes one record in the open transaction and returns its offset.
    pub fn send_in_transaction(
        &mut self,
        producer: Identity<'_>,
        to: &TopicPartition,
        payload: Payload,
    ) -> Result<i64, LogError> {
        let transaction = self.transactions.open(producer)?;
        let partition = self.topics.partition_mut(&to.topic, to.partition)?;
        let offset = partition.append(payload, Kind::Transactional(transaction.seq));
        if !transaction.touched.contains_key(to) {
            transaction.touched.insert(to.clone(), offset);
            transaction.started.get_or_insert(self.now);
            partition.open_transaction(offset, transaction.seq);
        }
        Ok(offset)
    }

    /// Commits the open transaction and its offsets as one. Refused offsets leave it open, to be aborted.
    pub fn commit_transaction(
        &mut self,
        producer: Identity<'_>,
        offsets: &[(TopicPartition, Committed)],
        group: &GroupMetadata,
    ) -> Result<(), LogError> {
        self.transactions.open(producer)?;
        self.commit_offsets(offsets, group)?;
        self.close_transaction(producer, true)
    }

    /// Aborts the open transaction; one must be open, as librdkafka wants it.
    pub fn abort_transaction(&mut self, producer: Identity<'_>) -> Result<(), LogError> {
        self.transactions.open(producer)?;
        self.close_transaction(producer, false)
    }

    fn close_transaction(&mut self, producer: Identity<'_>, committed: bool) -> Result<(), LogError> {
        if let Some(open) = self.transactions.registered(producer)?.open.take() {
            open.close(&mut self.topics, committed, self.now);
        }
        Ok(())
    }

    /// Aborts what has been open for too long. The new epoch fences the producer, which would go on otherwise.
    pub fn abort_overdue_transactions(&mut self) {
        let overdue = |started: Duration| self.now.saturating_sub(started) >= self.timeouts.transaction;
        for registered in self.transactions.ids.values_mut() {
            let late = |open: &mut Transaction| open.started.is_some_and(overdue);
            if let Some(open) = registered.open.take_if(late) {
                open.close(&mut self.topics, false, self.now);
                registered.epoch += 1;
            }
        }
    }
}
