use std::collections::BTreeMap;

use headwater_core::TopicPartition;
use headwater_core::port::{Admin, LogError, NewTopic, TopicInfo};

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

    fn brokers(&mut self) -> Result<usize, LogError> {
        self.inner.brokers()
    }
}
