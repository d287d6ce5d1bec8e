use std::collections::BTreeMap;

use headwater_core::TopicPartition;
use headwater_core::port::{Admin, LogError, NewTopic, TopicInfo};

use super::handle::MemoryLog;
use super::state::State;

pub(super) struct MemoryAdmin {
    log: MemoryLog,
}

impl MemoryAdmin {
    pub fn new(log: MemoryLog) -> MemoryAdmin {
        MemoryAdmin { log }
    }
}

impl State {
    /// Creates a topic; the groups that were waiting for it share it out.
    pub fn create_topic(&mut self, name: &str, partitions: i32, config: BTreeMap<String, String>) -> Result<(), LogError> {
        if self.topics.create(name, partitions, config)? {
            let counts = self.topics.counts();
            for group in self.groups.values_mut().filter(|group| group.subscribes(name)) {
                group.rebalance(&counts);
            }
        }
        Ok(())
    }
}

impl Admin for MemoryAdmin {
    fn describe(&mut self, topics: &[String]) -> Result<BTreeMap<String, TopicInfo>, LogError> {
        let state = self.log.lock();
        let info = |name: &String| {
            let topic = state.topics.get(name)?;
            let partitions = topic.partitions.len() as i32;
            Some((name.clone(), TopicInfo { partitions, replication: 1, config: topic.config.clone() }))
        };
        Ok(topics.iter().filter_map(info).collect())
    }

    fn create(&mut self, topics: &[NewTopic]) -> Result<(), LogError> {
        self.log.change(|state| {
            topics.iter().try_for_each(|topic| state.create_topic(&topic.name, topic.partitions, topic.config.clone()))
        })
    }

    fn delete_records(&mut self, before: &[(TopicPartition, i64)]) -> Result<(), LogError> {
        self.log.change(|state| {
            before.iter().try_for_each(|(partition, offset)| {
                state.topics.partition_mut(&partition.topic, partition.partition)?.delete_before(*offset)
            })
        })
    }

    fn brokers(&mut self) -> Result<usize, LogError> {
        Ok(1)
    }
}
