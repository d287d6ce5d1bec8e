use std::collections::BTreeMap;

use bytes::Bytes;
use headwater_core::port::{Committed, LogError};
use headwater_core::{Record, Timestamp, TopicPartition};

use super::handle::MemoryLog;
use super::partition::{Kind, Payload};

/// Without a handle: what a test or a demo writes beforehand and looks at afterwards.
impl MemoryLog {
    /// Creates a topic; one that exists is left as it is.
    ///
    /// # Panics
    /// When `partitions` is not positive.
    pub fn create_topic(&self, name: &str, partitions: i32) {
        assert_ok(self.change(|state| state.create_topic(name, partitions, BTreeMap::new())));
    }

    /// Deletes a topic and creates it again, empty, with as many partitions and under another id. What groups have committed for it
    /// stays, as in Kafka for a group that is in use.
    ///
    /// # Panics
    /// When it does not exist.
    pub fn recreate_topic(&self, name: &str) {
        assert_ok(self.change(|state| {
            let topic = state.topics.get_mut(name)?;
            let (partitions, config) = (topic.partitions.len() as i32, topic.config.clone());
            state.topics.delete(name);
            state.create_topic(name, partitions, config)
        }));
    }

    /// Deletes the records before `offset`, as retention or `DeleteRecords` do.
    ///
    /// # Panics
    /// When the partition does not exist or ends before `offset`.
    pub fn delete_before(&self, topic: &str, partition: i32, offset: i64) {
        assert_ok(self.change(|state| state.topics.partition_mut(topic, partition)?.delete_before(offset)));
    }

    /// Cuts a partition off at `end`: what a broker loses when it comes back without its newest records (an unclean leader election).
    ///
    /// # Panics
    /// When the partition does not exist, or a transaction is open in what would go.
    pub fn truncate(&self, topic: &str, partition: i32, end: i64) {
        assert_ok(self.change(|state| state.topics.partition_mut(topic, partition)?.truncate(end)));
    }

    /// Appends a record outside any transaction and returns its offset.
    ///
    /// # Panics
    /// When the partition does not exist.
    pub fn append(&self, topic: &str, partition: i32, key: Option<&[u8]>, value: Option<&[u8]>, timestamp: Timestamp) -> i64 {
        let copy = |bytes: Option<&[u8]>| bytes.map(Bytes::copy_from_slice);
        let payload = Payload { timestamp, key: copy(key), value: copy(value), headers: Vec::new() };
        assert_ok(self.change(|state| {
            let partition = state.topics.partition_mut(topic, partition)?;
            Ok(partition.append(payload, Kind::Plain))
        }))
    }

    /// All records of a partition that a reader of this isolation level can see now.
    ///
    /// # Panics
    /// When the partition does not exist.
    pub fn read_all(&self, topic: &str, partition: i32, read_committed: bool) -> Vec<Record> {
        let mut records = Vec::new();
        assert_ok({
            let state = self.lock();
            let log = state.topics.partition(topic, partition);
            log.map(|log| log.read(log.ends().start, !read_committed, usize::MAX, &mut records))
        });
        records
    }

    /// All records of a partition that are committed, also those behind the first one of an open transaction, where no reader of committed records
    /// gets to.
    ///
    /// # Panics
    /// When the partition does not exist.
    pub fn read_settled(&self, topic: &str, partition: i32) -> Vec<Record> {
        let state = self.lock();
        assert_ok(state.topics.partition(topic, partition).map(|log| log.settled().cloned().collect()))
    }

    /// The offset the next record of the partition will get.
    ///
    /// # Panics
    /// When the partition does not exist.
    pub fn high_watermark(&self, topic: &str, partition: i32) -> i64 {
        assert_ok({
            let state = self.lock();
            state.topics.partition(topic, partition).map(|log| log.ends().end)
        })
    }

    /// The offset that a reader of committed records can get to: the first one of an open transaction, else the high watermark.
    ///
    /// # Panics
    /// When the partition does not exist.
    pub fn last_stable_offset(&self, topic: &str, partition: i32) -> i64 {
        assert_ok({
            let state = self.lock();
            state.topics.partition(topic, partition).map(|log| log.visible_end(false))
        })
    }

    /// The position a group has committed for a partition, if it has.
    pub fn committed(&self, group: &str, partition: &TopicPartition) -> Option<Committed> {
        self.lock().groups.get(group)?.offsets.get(partition).cloned()
    }
}

/// Panics with the error's own text. Callers have given the lock back by then.
fn assert_ok<T>(result: Result<T, LogError>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}
