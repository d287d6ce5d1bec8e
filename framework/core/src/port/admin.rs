use std::collections::BTreeMap;

use super::LogError;
use crate::record::TopicPartition;

/// What is known of an existing topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicInfo {
    /// Number of partitions.
    pub partitions: i32,
    /// Replicas of partition 0.
    pub replication: i32,
    /// The configuration values in force, by Kafka's names (`cleanup.policy`, `retention.ms`, ...).
    pub config: BTreeMap<String, String>,
}

/// A topic to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// Number of partitions.
    pub partitions: i32,
    /// Number of replicas; none takes the broker's default.
    pub replication: Option<i32>,
    /// Configuration by Kafka's names.
    pub config: BTreeMap<String, String>,
}

/// Topic administration.
pub trait Admin: Send {
    /// Looks the topics up; a name that does not exist is absent from the answer.
    fn describe(&mut self, topics: &[String]) -> Result<BTreeMap<String, TopicInfo>, LogError>;
    /// Creates the topics and returns once all of them can be written. A topic that exists already is left as it is
    /// and is no error: several processes start at the same time.
    fn create(&mut self, topics: &[NewTopic]) -> Result<(), LogError>;
    /// Deletes the records before the given offsets (Kafka's `DeleteRecords`).
    fn delete_records(&mut self, before: &[(TopicPartition, i64)]) -> Result<(), LogError>;
    /// Number of brokers in the cluster.
    fn brokers(&mut self) -> Result<usize, LogError>;
}
