//! Topic administration.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_core::port::{Admin, Committed, LogError, MemberInfo, NewTopic, TopicInfo};
use headwater_core::{Timestamp, TopicPartition};
use rdkafka::admin::{AdminClient, AdminOptions, OwnedResourceSpecifier, ResourceSpecifier, TopicReplication};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::metadata::Metadata;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::block_on::block_on;
use crate::config::KafkaConfig;
use crate::context::Context;
use crate::error::{back_off, from_code, from_kafka, is_transient};
use crate::groups;
use crate::kafka_log::unreachable_error;
use crate::native::{self, Client};
use crate::reader::offsets;
use crate::shared_clients::SharedClients;

/// How long an admin request may take, waiting for the cluster to carry it out included.
const PATIENCE: Duration = Duration::from_secs(30);

/// An [`Admin`] on two clients, which all of them share: rdkafka's for requests, and one of ours for metadata, which never makes a broker create
/// a topic that it was only asked about.
pub(crate) struct KafkaAdmin {
    config: KafkaConfig,
    admin: Arc<AdminClient<Context>>,
    client: Arc<Client>,
    shared: Arc<SharedClients>,
}

impl KafkaAdmin {
    pub(crate) fn new(config: &KafkaConfig, shared: &Arc<SharedClients>) -> Result<KafkaAdmin, LogError> {
        let (admin, client) = (shared.admin(config)?, shared.plain(config)?);
        Ok(KafkaAdmin { config: config.clone(), admin, client, shared: Arc::clone(shared) })
    }

    /// Of one topic, or of all.
    fn metadata(&self, topic: Option<&str>) -> Result<Metadata, LogError> {
        let started = Instant::now();
        loop {
            let asked = self.client.fetch_metadata(topic, self.config.connect_timeout);
            native::serve(&self.client, Duration::ZERO);
            match asked {
                Ok(metadata) => return Ok(metadata),
                Err(error) if !error.rdkafka_error_code().is_some_and(is_transient) => {
                    return Err(from_kafka(&error, "asking for metadata"));
                }
                Err(_) if started.elapsed() >= self.config.connect_timeout => {
                    return Err(unreachable_error(&self.config, "asking for metadata", started.elapsed(), &self.client));
                }
                Err(_) => {}
            }
        }
    }

    /// Partitions and replicas, and whether every partition has a leader; none if the topic does not exist.
    fn layout(&self, topic: &str) -> Result<Option<(i32, i32, bool)>, LogError> {
        let metadata = self.metadata(Some(topic))?;
        let Some(found) = metadata.topics().iter().find(|t| t.name() == topic) else { return Ok(None) };
        match found.error().map(Code::from) {
            None | Some(Code::LeaderNotAvailable) => {}
            Some(Code::UnknownTopicOrPartition | Code::UnknownTopic) => return Ok(None),
            Some(code) => return Err(from_code(code, &format!("describing topic {topic:?}"), Some(topic))),
        }
        let partitions = found.partitions();
        let ready = !partitions.is_empty() && partitions.iter().all(|p| p.leader() >= 0 && p.error().is_none());
        let replicas = partitions.first().map_or(0, |p| p.replicas().len());
        Ok(Some((count(partitions.len()), count(replicas), ready)))
    }

    /// Asks again while brokers cannot be reached, until the time to connect is up: a connection that broke is no answer.
    /// What is asked must bear being done twice.
    fn ask<T>(&self, what: &str, mut request: impl FnMut() -> Result<T, KafkaError>) -> Result<T, LogError> {
        let started = Instant::now();
        loop {
            match request() {
                Ok(answer) => return Ok(answer),
                Err(KafkaError::AdminOp(code)) if is_transient(code) => {
                    native::serve(&self.client, Duration::ZERO);
                    if started.elapsed() >= self.config.connect_timeout {
                        return Err(unreachable_error(&self.config, what, started.elapsed(), &self.client));
                    }
                    back_off();
                }
                Err(other) => return Err(from_kafka(&other, what)),
            }
        }
    }
}

fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

fn admin_options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE))
}

impl Admin for KafkaAdmin {
    /// Where the right to describe configurations is missing, `config` is empty and a warning says so.
    fn describe(&mut self, topics: &[String]) -> Result<BTreeMap<String, TopicInfo>, LogError> {
        let mut found = BTreeMap::new();
        for topic in topics {
            if let Some((partitions, replication, _)) = self.layout(topic)? {
                found.insert(topic.clone(), TopicInfo { partitions, replication, config: BTreeMap::new() });
            }
        }
        if found.is_empty() {
            return Ok(found);
        }
        let names: Vec<String> = found.keys().cloned().collect();
        let specifiers: Vec<ResourceSpecifier<'_>> = names.iter().map(|name| ResourceSpecifier::Topic(name)).collect();
        let resources = self.ask("describing topics", || block_on(self.admin.describe_configs(&specifiers, &admin_options())))?;
        for (resource, name) in resources.into_iter().zip(&names) {
            match resource {
                Ok(resource) => {
                    let OwnedResourceSpecifier::Topic(name) = &resource.specifier else { continue };
                    if let Some(info) = found.get_mut(name) {
                        let shown = resource.entries.into_iter().filter(|entry| !entry.is_sensitive);
                        info.config = shown.filter_map(|entry| Some((entry.name, entry.value?))).collect();
                    }
                }
                // Deleted in between.
                Err(Code::UnknownTopicOrPartition) => drop(found.remove(name)),
                Err(Code::TopicAuthorizationFailed | Code::ClusterAuthorizationFailed) => {
                    tracing::warn!(topic = name, "the configuration cannot be checked: permission to describe it is missing");
                }
                Err(code) => return Err(from_code(code, &format!("describing the configuration of topic {name:?}"), Some(name))),
            }
        }
        Ok(found)
    }

    fn create(&mut self, topics: &[NewTopic]) -> Result<(), LogError> {
        if topics.is_empty() {
            return Ok(());
        }
        let started = Instant::now();
        let requests: Vec<rdkafka::admin::NewTopic<'_>> = topics
            .iter()
            .map(|topic| {
                // -1: the broker's default.
                let replication = TopicReplication::Fixed(topic.replication.unwrap_or(-1));
                let request = rdkafka::admin::NewTopic::new(&topic.name, topic.partitions, replication);
                topic.config.iter().fold(request, |request, (key, value)| request.set(key, value))
            })
            .collect();
        let results = self.ask("creating topics", || block_on(self.admin.create_topics(&requests, &admin_options())))?;
        for result in results {
            match result {
                Ok(_) | Err((_, Code::TopicAlreadyExists)) => {}
                Err((topic, code)) => return Err(from_code(code, &format!("creating topic {topic:?}"), None)),
            }
        }
        for topic in topics {
            while !self.layout(&topic.name)?.is_some_and(|(_, _, ready)| ready) {
                if started.elapsed() >= PATIENCE {
                    let waited = PATIENCE.as_secs();
                    return Err(LogError::Retriable(format!(
                        "topic {:?} was created but has no leaders after {waited} s",
                        topic.name
                    )));
                }
                native::serve(&self.client, Duration::from_millis(10));
            }
        }
        // Brokers tell of leaders before these have made their logs, and their group coordinators hear of the topics last of all. A group that is
        // joined before that gets the rest only with a later heartbeat, which by default comes after 5 s.
        let logs = topics.iter().flat_map(|topic| TopicPartition::all_of(&topic.name, topic.partitions));
        offsets::ends(&*self.shared.uncommitted(&self.config)?, &logs.collect::<Vec<_>>()).map(drop)
    }

    fn delete_records(&mut self, before: &[(TopicPartition, i64)]) -> Result<(), LogError> {
        if before.is_empty() {
            return Ok(());
        }
        let mut list = TopicPartitionList::with_capacity(before.len());
        for (partition, offset) in before {
            list.add_partition(&partition.topic, partition.partition)
                .set_offset(Offset::Offset(*offset))
                .map_err(|_| LogError::Fatal(format!("records of {partition} cannot be deleted before offset {offset}")))?;
        }
        let done = self.ask("deleting records", || block_on(self.admin.delete_records(&list, &admin_options())))?;
        for element in done.elements() {
            if let Err(error) = element.error() {
                let what = format!("deleting records of {}-{}", element.topic(), element.partition());
                let code = error.rdkafka_error_code().unwrap_or(Code::Unknown);
                return Err(from_code(code, &what, Some(element.topic())));
            }
        }
        Ok(())
    }

    fn delete(&mut self, topics: &[String]) -> Result<(), LogError> {
        if topics.is_empty() {
            return Ok(());
        }
        let started = Instant::now();
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        let results = self.ask("deleting topics", || block_on(self.admin.delete_topics(&names, &admin_options())))?;
        for result in results {
            match result {
                Ok(_) | Err((_, Code::UnknownTopicOrPartition)) => {}
                Err((topic, code)) => return Err(from_code(code, &format!("deleting topic {topic:?}"), None)),
            }
        }
        // Deleted is decided; that no broker answers for it any more comes a moment later.
        for topic in topics {
            while self.layout(topic)?.is_some() {
                if started.elapsed() >= PATIENCE {
                    return Err(LogError::Retriable(format!(
                        "topic {topic:?} was deleted but is there after {} s",
                        PATIENCE.as_secs()
                    )));
                }
                native::serve(&self.client, Duration::from_millis(10));
            }
        }
        Ok(())
    }

    fn offsets_at(&mut self, times: &[(TopicPartition, Timestamp)]) -> Result<Vec<Option<i64>>, LogError> {
        if times.is_empty() {
            return Ok(Vec::new());
        }
        groups::offsets_at(&self.client, times)
    }

    fn members(&mut self, group: &str) -> Result<Vec<MemberInfo>, LogError> {
        groups::members(&self.client, group)
    }

    fn set_positions(&mut self, group: &str, positions: &[(TopicPartition, Committed)]) -> Result<(), LogError> {
        if positions.is_empty() {
            return Ok(());
        }
        groups::set_positions(&self.client, group, positions)
    }

    fn delete_positions(&mut self, group: &str, partitions: &[TopicPartition]) -> Result<(), LogError> {
        if partitions.is_empty() {
            return Ok(());
        }
        groups::delete_positions(&self.client, group, partitions)
    }

    fn delete_group(&mut self, group: &str) -> Result<(), LogError> {
        let results = self.ask("deleting a group", || block_on(self.admin.delete_groups(&[group], &admin_options())))?;
        for result in results {
            match result {
                Ok(_) | Err((_, Code::GroupIdNotFound)) => {}
                Err((group, code)) => return Err(from_code(code, &format!("deleting group {group:?}"), None)),
            }
        }
        Ok(())
    }

    fn brokers(&mut self) -> Result<usize, LogError> {
        Ok(self.metadata(None)?.brokers().len())
    }
}
