use std::collections::{BTreeMap, HashMap};

use headwater_core::port::{LogError, TopicId};
use headwater_core::{TopicName, TopicPartition};

use super::partition::Partition;

#[derive(Default)]
pub(super) struct Topics {
    by_name: HashMap<TopicName, Topic>,
    /// Topics created so far: the newest one's id.
    created: u128,
}

pub(super) struct Topic {
    pub id: TopicId,
    pub partitions: Vec<Partition>,
    pub config: BTreeMap<String, String>,
}

impl Topics {
    pub fn get(&self, name: &str) -> Option<&Topic> {
        self.by_name.get(name)
    }

    pub fn get_mut(&mut self, name: &str) -> Result<&mut Topic, LogError> {
        self.by_name.get_mut(name).ok_or_else(|| LogError::UnknownTopic { topic: name.to_owned() })
    }

    /// Whether the topic is new; one that exists is left as it is.
    pub fn create(&mut self, name: &str, partitions: i32, config: BTreeMap<String, String>) -> Result<bool, LogError> {
        if partitions < 1 {
            return Err(LogError::Fatal(format!("topic {name:?} cannot have {partitions} partitions")));
        }
        if self.by_name.contains_key(name) {
            return Ok(false);
        }
        let partitions = (0..partitions).map(|_| Partition::default()).collect();
        self.created += 1;
        self.by_name.insert(name.into(), Topic { id: TopicId(self.created.to_be_bytes()), partitions, config });
        Ok(true)
    }

    pub fn delete(&mut self, name: &str) {
        self.by_name.remove(name);
    }

    pub fn partition(&self, topic: &str, partition: i32) -> Result<&Partition, LogError> {
        let known = self.get(topic).ok_or_else(|| LogError::UnknownTopic { topic: topic.to_owned() })?;
        let index = usize::try_from(partition).ok();
        index.and_then(|i| known.partitions.get(i)).ok_or_else(|| no_partition(topic, partition, known.partitions.len()))
    }

    pub fn partition_mut(&mut self, topic: &str, partition: i32) -> Result<&mut Partition, LogError> {
        let known = self.get_mut(topic)?;
        let count = known.partitions.len();
        let index = usize::try_from(partition).ok();
        index.and_then(|i| known.partitions.get_mut(i)).ok_or_else(|| no_partition(topic, partition, count))
    }

    pub fn of(&self, partition: &TopicPartition) -> Result<&Partition, LogError> {
        self.partition(&partition.topic, partition.partition)
    }

    /// Partition counts by topic.
    pub fn counts(&self) -> BTreeMap<TopicName, i32> {
        self.by_name.iter().map(|(name, topic)| (name.clone(), topic.partitions.len() as i32)).collect()
    }
}

fn no_partition(topic: &str, partition: i32, count: usize) -> LogError {
    LogError::Fatal(format!("partition {topic}-{partition} does not exist: the topic has {count}"))
}
