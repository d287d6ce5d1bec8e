use std::collections::BTreeMap;

use super::{Committed, LogError};
use crate::record::TopicPartition;
use crate::time::Timestamp;

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

/// One member of a consumer group, as the cluster knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberInfo {
    /// The id the group gave it.
    pub id: String,
    /// `group.instance.id` of a static member.
    pub instance: Option<String>,
    /// The address it connected from.
    pub host: String,
}

/// Topic and group administration.
pub trait Admin: Send {
    /// Looks the topics up; a name that does not exist is absent from the answer.
    fn describe(&mut self, topics: &[String]) -> Result<BTreeMap<String, TopicInfo>, LogError>;
    /// Creates the topics and returns once all of them can be written. A topic that exists already is left as it is
    /// and is no error: several processes start at the same time.
    fn create(&mut self, topics: &[NewTopic]) -> Result<(), LogError>;
    /// Deletes the records before the given offsets (Kafka's `DeleteRecords`).
    fn delete_records(&mut self, before: &[(TopicPartition, i64)]) -> Result<(), LogError>;
    /// Deletes the topics; one that does not exist is no error. Returns once none of them is there any more.
    fn delete(&mut self, topics: &[String]) -> Result<(), LogError>;
    /// For each time the offset of the first record with that timestamp or a later one; none where there is none.
    fn offsets_at(&mut self, times: &[(TopicPartition, Timestamp)]) -> Result<Vec<Option<i64>>, LogError>;
    /// The members of a group; none if there is no such group.
    fn members(&mut self, group: &str) -> Result<Vec<MemberInfo>, LogError>;
    /// Sets the group's positions and what is kept beside them. [`LogError::Fatal`] while it has members.
    fn set_positions(&mut self, group: &str, positions: &[(TopicPartition, Committed)]) -> Result<(), LogError>;
    /// Removes the group's positions, so that it begins anew; where it has none is fine. [`LogError::Fatal`] while it has members.
    fn delete_positions(&mut self, group: &str, partitions: &[TopicPartition]) -> Result<(), LogError>;
    /// Removes the group with all its positions; one that does not exist is no error. [`LogError::Fatal`] while it has members.
    fn delete_group(&mut self, group: &str) -> Result<(), LogError>;
    /// Number of brokers in the cluster.
    fn brokers(&mut self) -> Result<usize, LogError>;
}
