use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use headwater_core::Outgoing;
use headwater_core::TopicPartition;
use headwater_core::port::{
    Admin, Committed, GroupMetadata, Log, LogError, Membership, MembershipConfig, Producer, ProducerConfig, Reader, ReaderConfig,
};

/// What is asked of producers.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) outputs: AtomicU64,
    pub(crate) changelog: AtomicU64,
    pub(crate) repartition: AtomicU64,
    pub(crate) commits: AtomicU64,
}

/// A log whose producers count.
pub(crate) struct CountingLog {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) sent: Arc<Sent>,
}

impl Log for CountingLog {
    fn admin(&self) -> Result<Box<dyn Admin>, LogError> {
        self.log.admin()
    }

    fn membership(&self, config: &MembershipConfig) -> Result<Box<dyn Membership>, LogError> {
        self.log.membership(config)
    }

    fn reader(&self, config: &ReaderConfig) -> Result<Box<dyn Reader>, LogError> {
        self.log.reader(config)
    }

    fn restore_reader(&self, config: &ReaderConfig) -> Result<Box<dyn Reader>, LogError> {
        self.log.restore_reader(config)
    }

    fn producer(&self, config: &ProducerConfig) -> Result<Box<dyn Producer>, LogError> {
        Ok(Box::new(CountingProducer { producer: self.log.producer(config)?, sent: Arc::clone(&self.sent) }))
    }
}

struct CountingProducer {
    producer: Box<dyn Producer>,
    sent: Arc<Sent>,
}

impl Producer for CountingProducer {
    fn init(&mut self) -> Result<(), LogError> {
        self.producer.init()
    }

    fn begin(&mut self) -> Result<(), LogError> {
        self.producer.begin()
    }

    fn send(&mut self, record: Outgoing<'_>) -> Result<(), LogError> {
        let sent = match record.topic {
            topic if topic.ends_with("-changelog") => &self.sent.changelog,
            topic if topic.ends_with("-repartition") => &self.sent.repartition,
            _ => &self.sent.outputs,
        };
        sent.fetch_add(1, Ordering::Relaxed);
        self.producer.send(record)
    }

    fn flush(&mut self) -> Result<(), LogError> {
        self.producer.flush()
    }

    fn commit(&mut self, offsets: &[(TopicPartition, Committed)], group: &GroupMetadata) -> Result<(), LogError> {
        self.sent.commits.fetch_add(1, Ordering::Relaxed);
        self.producer.commit(offsets, group)
    }

    fn abort(&mut self) -> Result<(), LogError> {
        self.producer.abort()
    }

    fn take_delivered(&mut self) -> Vec<(TopicPartition, i64)> {
        self.producer.take_delivered()
    }

    fn largest_record(&self) -> usize {
        self.producer.largest_record()
    }
}
