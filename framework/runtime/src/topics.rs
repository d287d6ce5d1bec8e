//! Topics at start: inputs must be there, internal topics are made or checked, outputs made if wanted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use headwater_core::engine::TombstoneRetention;
use headwater_core::port::{Admin, LogError, NewTopic, TopicInfo};
use headwater_core::{Blueprint, InternalTopic, Plan};

use crate::{RunError, RunOptions};

/// The inputs and outputs that exist.
pub(crate) type Existing = BTreeMap<String, TopicInfo>;

/// Looks at the cluster and fits the topology to it.
pub(crate) fn fit(blueprint: &Arc<Blueprint>, admin: &mut dyn Admin) -> Result<(Arc<Plan>, Existing), RunError> {
    let mut names = blueprint.input_topics();
    names.extend(blueprint.output_topics());
    let existing = admin.describe(&names)?;
    let counts = existing.iter().map(|(topic, info)| (topic.clone(), info.partitions)).collect();
    Ok((blueprint.plan(&counts)?, existing))
}

/// Makes what is missing, `also` with it, and checks what is there. Answers what is known of all of them.
pub(crate) fn make(
    plan: &mut Arc<Plan>,
    existing: Existing,
    admin: &mut dyn Admin,
    options: &RunOptions,
    also: Option<NewTopic>,
) -> Result<Existing, RunError> {
    let blueprint = Arc::clone(plan.blueprint());
    warn_about_inputs(&blueprint, &existing);

    let internal = plan.internal_topics();
    let internal_names: Vec<String> = internal.iter().map(|topic| topic.topic.to_string()).collect();
    let found = admin.describe(&internal_names)?;
    let mut missing: Vec<NewTopic> = also.into_iter().collect();
    for topic in &internal {
        match found.get(&*topic.topic) {
            Some(info) => check_internal(topic, info)?,
            None => missing.push(internal_topic(topic, options.replication)),
        }
    }
    for output in plan.outputs() {
        match existing.get(&*output.topic) {
            Some(info) => warn_about_retention(&output.topic, info),
            None if options.create_outputs && blueprint.dead_letter_topic() == Some(&output.topic) => {
                missing.push(dead_letter_topic(&output.topic, output.partitions, options.replication, &existing));
            }
            None if options.create_outputs => missing.push(output_topic(&output.topic, output.partitions, options.replication)),
            None => return Err(LogError::UnknownTopic { topic: output.topic.to_string() }.into()),
        }
    }
    let mut known = existing;
    known.extend(found);
    if !missing.is_empty() {
        for topic in &missing {
            tracing::info!(topic = topic.name, partitions = topic.partitions, "creating topic");
        }
        let names: Vec<String> = missing.iter().map(|topic| topic.name.clone()).collect();
        create(admin, missing)?;
        let made = admin.describe(&names)?;
        warn_about_replication(admin, &made)?;
        known.extend(made);
    }
    Arc::make_mut(plan).learn_limits(&known);
    Ok(known)
}

/// How long the topics that stores are restored from keep deletions, as far as they are `known`.
pub(crate) fn tombstones(plan: &Plan, known: &Existing) -> TombstoneRetention {
    let changelogs = plan.internal_topics().into_iter().filter(|topic| topic.changelog).map(|topic| topic.topic.to_string());
    let topics = plan.blueprint().input_topics().into_iter().chain(changelogs);
    let retention = |info: &TopicInfo| {
        let compacted = info.config.get("cleanup.policy").is_some_and(|policy| policy.contains("compact"));
        let retention = info.config.get("delete.retention.ms").and_then(|text| text.parse().ok());
        // Kafka's default is a day.
        compacted.then(|| Duration::from_millis(retention.unwrap_or(24 * 3_600_000)))
    };
    let known = topics.filter_map(|topic| Some((known.get(&topic)?, topic))).filter(|(info, _)| !info.config.is_empty());
    known.map(|(info, topic)| (topic.into(), retention(info))).collect()
}

/// What goes into these topics may be dated as it likes. Brokers refuse more than an hour ahead of their clock by default (KIP-1030).
const ANY_FUTURE: (&str, &str) = ("message.timestamp.after.max.ms", "9223372036854775807");

/// Creates topics; brokers before 3.6 do not know the setting, and have no such limit either.
fn create(admin: &mut dyn Admin, mut topics: Vec<NewTopic>) -> Result<(), LogError> {
    match admin.create(&topics) {
        Err(LogError::Fatal(_)) if topics.iter().any(|topic| topic.config.contains_key(ANY_FUTURE.0)) => {
            topics.iter_mut().for_each(|topic| drop(topic.config.remove(ANY_FUTURE.0)));
            admin.create(&topics)
        }
        created => created,
    }
}

/// Settings as Kafka Streams gives them to its internal topics: changelogs are compacted; repartition topics keep everything until
/// the application trims what it has committed.
fn internal_topic(topic: &InternalTopic, replication: Option<i32>) -> NewTopic {
    let config: &[(&str, &str)] = if topic.changelog {
        // Never by time: what was written long ago is state all the same.
        &[("cleanup.policy", "compact"), ("message.timestamp.type", "CreateTime"), ANY_FUTURE]
    } else {
        &[
            ("cleanup.policy", "delete"),
            ("retention.ms", "-1"),
            ("retention.bytes", "-1"),
            ("segment.bytes", "52428800"),
            ("message.timestamp.type", "CreateTime"),
            ANY_FUTURE,
        ]
    };
    NewTopic { name: topic.topic.to_string(), partitions: topic.partitions, replication, config: owned(config) }
}

/// Makes the topic that a file's rows are staged in, unless it exists. It keeps them until the run is cleaned.
pub(crate) fn make_staging(admin: &mut dyn Admin, topic: &str, partitions: i32) -> Result<(), LogError> {
    let config = [
        ("cleanup.policy", "delete"),
        ("retention.ms", "-1"),
        ("retention.bytes", "-1"),
        ("message.timestamp.type", "CreateTime"),
        ANY_FUTURE,
    ];
    create(admin, vec![NewTopic { name: topic.to_owned(), partitions, replication: None, config: owned(&config) }])
}

fn output_topic(topic: &str, partitions: i32, replication: Option<i32>) -> NewTopic {
    NewTopic { name: topic.to_owned(), partitions, replication, config: owned(&[("retention.ms", "-1")]) }
}

/// Takes whatever the inputs take, with what is added to it; and never deletes by time, as its records are as old as they are.
fn dead_letter_topic(topic: &str, partitions: i32, replication: Option<i32>, inputs: &BTreeMap<String, TopicInfo>) -> NewTopic {
    let limit = |info: &TopicInfo| info.config.get(MAX_MESSAGE_BYTES)?.parse::<u64>().ok();
    let largest = inputs.values().filter_map(limit).max().unwrap_or(0).max(USUAL_LIMIT) + ROOM_FOR_HEADERS;
    let mut config = owned(&[("retention.ms", "-1"), ANY_FUTURE]);
    config.insert(MAX_MESSAGE_BYTES.to_owned(), largest.to_string());
    NewTopic { name: topic.to_owned(), partitions, replication, config }
}

const MAX_MESSAGE_BYTES: &str = "max.message.bytes";
/// What brokers take by default (`message.max.bytes`).
const USUAL_LIMIT: u64 = 1_048_588;
/// For the headers that a dead letter gets.
const ROOM_FOR_HEADERS: u64 = 64 << 10;

fn owned(config: &[(&str, &str)]) -> BTreeMap<String, String> {
    config.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn check_internal(topic: &InternalTopic, info: &TopicInfo) -> Result<(), RunError> {
    if info.partitions != topic.partitions {
        return Err(RunError::InternalTopic {
            topic: topic.topic.to_string(),
            found: info.partitions,
            expected: topic.partitions,
        });
    }
    let policy = info.config.get("cleanup.policy").map_or("", String::as_str);
    let wanted = if topic.changelog { "compact" } else { "delete" };
    if !policy.is_empty() && policy != wanted {
        tracing::warn!(topic = %topic.topic, cleanup_policy = policy, "internal topic should have cleanup.policy={wanted}; records may be lost or kept for ever");
    }
    Ok(())
}

fn warn_about_inputs(blueprint: &Blueprint, existing: &BTreeMap<String, TopicInfo>) {
    for topic in blueprint.input_topics() {
        if existing
            .get(&topic)
            .is_some_and(|info| info.config.get("message.timestamp.type").is_some_and(|kind| kind == "LogAppendTime"))
        {
            tracing::warn!(
                topic,
                "the broker stamps this topic's records with the time they arrive (LogAppendTime); event time is lost unless the input reads it from the value"
            );
        }
    }
}

/// Kafka deletes by record timestamp: old event times under a finite retention vanish within minutes.
fn warn_about_retention(topic: &str, info: &TopicInfo) {
    let finite = |key: &str| info.config.get(key).is_some_and(|value| !value.starts_with('-'));
    let deletes = info.config.get("cleanup.policy").is_none_or(|policy| policy.contains("delete"));
    if deletes && finite("retention.ms") {
        let retention_ms = info.config.get("retention.ms").map_or("", String::as_str);
        tracing::warn!(
            topic,
            retention_ms,
            "output records with event times older than the topic's retention are deleted soon after they are written"
        );
    }
}

fn warn_about_replication(admin: &mut dyn Admin, made: &Existing) -> Result<(), RunError> {
    let brokers = admin.brokers()?;
    if brokers > 1 {
        for (topic, _) in made.iter().filter(|(_, info)| info.replication == 1) {
            tracing::warn!(
                topic,
                brokers,
                "topic has one replica on a cluster of several brokers: losing that broker loses state; set run.replication"
            );
        }
    }
    Ok(())
}
