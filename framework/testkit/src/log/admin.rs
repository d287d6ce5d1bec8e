use std::collections::BTreeMap;

use headwater_core::port::{Admin, Committed, LogError, MemberInfo, NewTopic, TopicInfo};
use headwater_core::{Timestamp, TopicPartition};

use super::group::Group;
use super::handle::MemoryLog;
use super::member::GroupMember;
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

/// A group that may be changed from outside: it has no members.
fn empty_group<'a>(state: &'a mut State, group: &str) -> Result<&'a mut Group, LogError> {
    let found = state.groups.entry(group.into()).or_default();
    if found.list().is_empty() { Ok(found) } else { Err(LogError::Fatal(format!("group {group:?} has members"))) }
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

    fn delete(&mut self, topics: &[String]) -> Result<(), LogError> {
        self.log.change(|state| {
            topics.iter().for_each(|topic| state.topics.delete(topic));
            let counts = state.topics.counts();
            state
                .groups
                .values_mut()
                .filter(|group| topics.iter().any(|topic| group.subscribes(topic)))
                .for_each(|group| group.rebalance(&counts));
        });
        Ok(())
    }

    fn offsets_at(&mut self, times: &[(TopicPartition, Timestamp)]) -> Result<Vec<Option<i64>>, LogError> {
        let state = self.log.lock();
        times.iter().map(|(partition, time)| Ok(state.topics.of(partition)?.first_at(*time))).collect()
    }

    fn members(&mut self, group: &str) -> Result<Vec<MemberInfo>, LogError> {
        let info = |member: GroupMember| MemberInfo { id: member.id, instance: member.instance, host: String::from("memory") };
        Ok(self.log.members(group).into_iter().map(info).collect())
    }

    fn set_positions(&mut self, group: &str, positions: &[(TopicPartition, Committed)]) -> Result<(), LogError> {
        self.log.change(|state| {
            let offsets = &mut empty_group(state, group)?.offsets;
            offsets.extend(positions.iter().cloned());
            Ok(())
        })
    }

    fn delete_positions(&mut self, group: &str, partitions: &[TopicPartition]) -> Result<(), LogError> {
        self.log.change(|state| {
            let offsets = &mut empty_group(state, group)?.offsets;
            offsets.retain(|partition, _| !partitions.contains(partition));
            Ok(())
        })
    }

    fn delete_group(&mut self, group: &str) -> Result<(), LogError> {
        self.log.change(|state| {
            empty_group(state, group)?.offsets.clear();
            Ok(())
        })
    }

    fn brokers(&mut self) -> Result<usize, LogError> {
        Ok(1)
    }
}
