//! Committed positions and logs' bounds: each needs a client of one isolation level, whatever the reader's own.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_core::port::{Committed, Ends, LogError, TopicId};
use headwater_core::{TopicName, TopicPartition};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::config::KafkaConfig;
use crate::context::Context;
use crate::error::{from_code, from_kafka, is_transient};
use crate::native::{self, Client, Role};
use crate::options;
use crate::secrets::Secrets;

/// One try; a broker that changes hands is asked again until a patience is up.
const TRY: Duration = Duration::from_secs(5);
/// For what a transaction may hold up: committed offsets wait for those, by default for less than this.
const OFFSETS: Duration = Duration::from_secs(20);
/// For what only a change of hands holds up. Not for an outage: whoever asks does so again, and looks at its orders in between.
const BOUNDS: Duration = Duration::from_secs(8);
/// A broker that was just started may not know its topics yet: longer than that takes.
const MISSING_FOR: Duration = Duration::from_secs(3);

/// Starts a client for reading or asking.
pub(crate) fn open(config: &KafkaConfig, role: &'static str, options: rdkafka::ClientConfig) -> Result<Arc<Client>, LogError> {
    let secrets = Secrets::of(&config.rdkafka);
    native::open(&options, Role::Consumer, Context::new(role, secrets.clone())).map_err(|error| options::refusal(error, &secrets))
}

/// What the group of `client`, which reads committed, has committed.
pub(super) fn committed(client: &Client, partitions: &[TopicPartition]) -> Result<Vec<Option<Committed>>, LogError> {
    if partitions.is_empty() {
        return Ok(Vec::new());
    }
    let list = ask(client, "looking up committed offsets", partitions, (Offset::Invalid, OFFSETS), native::committed)?;
    Ok(list
        .elements()
        .iter()
        .map(|element| match element.offset() {
            Offset::Offset(offset) => Some(Committed { offset, metadata: element.metadata().to_string() }),
            _ => None,
        })
        .collect())
}

/// The bounds of the logs; `client` reads uncommitted.
pub(crate) fn ends(client: &Client, partitions: &[TopicPartition]) -> Result<Vec<Ends>, LogError> {
    if partitions.is_empty() {
        return Ok(Vec::new());
    }
    let bound = |what: &str, which| -> Result<Vec<i64>, LogError> {
        let list = ask(client, what, partitions, (which, BOUNDS), native::list_offsets)?;
        list.elements()
            .iter()
            .map(|element| match element.offset() {
                Offset::Offset(offset) => Ok(offset),
                other => Err(LogError::Retriable(format!(
                    "{what} of {}-{}: no answer ({other:?})",
                    element.topic(),
                    element.partition()
                ))),
            })
            .collect()
    };
    // The start first: a log that is trimmed in between looks longer, never inside out.
    let starts = bound("looking up the first offset", Offset::Beginning)?;
    let ends = bound("looking up the end offset", Offset::End)?;
    Ok(starts.into_iter().zip(ends).map(|(start, end)| Ends { start, end }).collect())
}

/// The topics' ids, none where the cluster does not tell.
pub(super) fn topic_ids(client: &Client, topics: &[TopicName]) -> Result<Vec<Option<TopicId>>, LogError> {
    let names: BTreeSet<&str> = topics.iter().map(|topic| &**topic).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = names.into_iter().collect();
    let started = Instant::now();
    let found = loop {
        match native::topic_ids(client, &names, TRY) {
            Ok(found) => break found,
            Err(code) if is_transient(code) && started.elapsed() < BOUNDS => crate::error::back_off(),
            Err(code) => return Err(from_code(code, "looking up topic ids", None)),
        }
    };
    let missing = |topic: &TopicName| LogError::UnknownTopic { topic: topic.to_string() };
    topics.iter().map(|topic| found.get(&**topic).copied().ok_or_else(|| missing(topic))).collect()
}

type Question = fn(&Client, &mut TopicPartitionList, Duration) -> Result<(), Code>;

/// Asks until every partition has an answer that is not a passing trouble, for as long as told. The answers are in the order of `partitions`.
fn ask(
    client: &Client,
    what: &str,
    partitions: &[TopicPartition],
    (with, patience): (Offset, Duration),
    question: Question,
) -> Result<TopicPartitionList, LogError> {
    let started = Instant::now();
    loop {
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            // The value is fixed and valid, so this cannot fail.
            let _ = list.add_partition(&partition.topic, partition.partition).set_offset(with);
        }
        let trouble = match question(client, &mut list, TRY) {
            Err(code) => Some((code, None)),
            Ok(()) => list.elements().iter().zip(partitions).find_map(|(element, partition)| match element.error() {
                Err(KafkaError::OffsetFetch(code)) => Some((code, Some(partition))),
                _ => None,
            }),
        };
        let Some((code, partition)) = trouble else { return Ok(list) };
        // librdkafka does not tell a topic that is missing from one with fewer partitions, nor which one it is.
        if code == Code::UnknownPartition || code == Code::UnknownTopicOrPartition || code == Code::UnknownTopic {
            missing(client, what, partitions)?;
        } else if !is_transient(code) || started.elapsed() >= patience {
            let last = client.context().last_error().map_or(String::new(), |last| format!(" (last error: {})", last.text));
            let what = match partition {
                Some(partition) => format!("{what} of {partition}{last}"),
                None => format!("{what}{last}"),
            };
            return Err(from_code(code, &what, partition.map(|p| &*p.topic)));
        }
        if started.elapsed() >= patience {
            return Err(LogError::Retriable(format!("{what}: {code}")));
        }
        crate::error::back_off();
    }
}

/// The error that names what does not exist, seen again and again for a while; none if everything does.
pub(super) fn missing(client: &Client, what: &str, partitions: &[TopicPartition]) -> Result<(), LogError> {
    let started = Instant::now();
    loop {
        match missing_now(client, what, partitions) {
            Err(LogError::UnknownTopic { .. } | LogError::Fatal(_)) if started.elapsed() < MISSING_FOR => {
                crate::error::back_off()
            }
            found => return found,
        }
    }
}

fn missing_now(client: &Client, what: &str, partitions: &[TopicPartition]) -> Result<(), LogError> {
    let topics: BTreeSet<&TopicName> = partitions.iter().map(|partition| &partition.topic).collect();
    for topic in topics {
        let metadata = client.fetch_metadata(Some(topic), TRY).map_err(|error| from_kafka(&error, what))?;
        let count =
            metadata.topics().iter().find(|t| t.name() == &**topic && t.error().is_none()).map_or(0, |t| t.partitions().len());
        if count == 0 {
            return Err(LogError::UnknownTopic { topic: topic.to_string() });
        }
        let beyond = |p: &&TopicPartition| p.topic == *topic && usize::try_from(p.partition).is_ok_and(|number| number >= count);
        if let Some(partition) = partitions.iter().find(beyond) {
            return Err(LogError::Fatal(format!("{what} of {partition}: the topic has {count} partitions only")));
        }
    }
    Ok(())
}
