use std::collections::BTreeMap;

use headwater_core::port::{Admin, Committed, LogError, MemberInfo, NewTopic, TopicInfo};
use headwater_core::{Timestamp, TopicPartition};

use super::site::Site;
use crate::fault::Call;

pub struct SimAdmin {
    pub inner: Box<dyn Admin>,
    pub site: Site,
}

impl Admin for SimAdmin {
    fn describe(&mut self, topics: &[String]) -> Result<BTreeMap<String, TopicInfo>, LogError> {
        self.inner.describe(topics)
    }

    fn create(&mut self, topics: &[NewTopic]) -> Result<(), LogError> {
        self.inner.create(topics)
    }

    fn delete_records(&mut self, before: &[(TopicPartition, i64)]) -> Result<(), LogError> {
        let SimAdmin { inner, site } = self;
        site.call(Call::AdminDelete, || inner.delete_records(before))?;
        for (partition, offset) in before {
            site.control.lock().changed.insert(partition.topic.to_string());
            site.line("delete", partition.to_string(), Some(*offset), String::new);
        }
        Ok(())
    }

    fn delete(&mut self, topics: &[String]) -> Result<(), LogError> {
        self.inner.delete(topics)
    }

    fn offsets_at(&mut self, times: &[(TopicPartition, Timestamp)]) -> Result<Vec<Option<i64>>, LogError> {
        self.inner.offsets_at(times)
    }

    fn members(&mut self, group: &str) -> Result<Vec<MemberInfo>, LogError> {
        self.inner.members(group)
    }

    fn set_positions(&mut self, group: &str, positions: &[(TopicPartition, Committed)]) -> Result<(), LogError> {
        self.inner.set_positions(group, positions)
    }

    fn delete_positions(&mut self, group: &str, partitions: &[TopicPartition]) -> Result<(), LogError> {
        self.inner.delete_positions(group, partitions)
    }

    fn delete_group(&mut self, group: &str) -> Result<(), LogError> {
        self.inner.delete_group(group)
    }

    fn brokers(&mut self) -> Result<usize, LogError> {
        self.inner.brokers()
    }
}
