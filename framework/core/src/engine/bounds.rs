//! What the log says about a task about to be taken over: where its inputs are to be read, and what its changelogs have.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::EngineError;
use super::standing::LogFacts;
use crate::blueprint::{Plan, TaskId};
use crate::port::{Committed, Ends, LogError, OpenStore, Reader};
use crate::record::{TopicName, TopicPartition};
use crate::task::InputStart;
use crate::topology::{Changelog, SourceRole};

/// Kafka's default of `delete.retention.ms`.
const TOMBSTONES: Duration = Duration::from_secs(24 * 3600);

/// One store's changelog.
pub(crate) struct Log {
    pub(crate) store: OpenStore,
    pub(crate) partition: TopicPartition,
    /// Whether it is a table's topic: its records are kept as the table keeps them.
    pub(crate) is_table: bool,
    pub(crate) facts: LogFacts,
}

pub(crate) struct Bounds {
    pub(crate) starts: BTreeMap<TopicName, InputStart>,
    /// In the order of the task's stores.
    pub(crate) logs: Vec<Log>,
}

/// How long each topic keeps deletions; a topic that is not in it is taken to be a changelog with Kafka's default.
pub type TombstoneRetention = BTreeMap<TopicName, Option<Duration>>;

impl Bounds {
    /// Looks up the committed positions first and the changelogs' ends second. The order matters: a predecessor's last
    /// transaction is settled when its positions are known, so the ends seen afterwards cover it. The ids come first of all: a topic
    /// made anew in between is then taken for the old one, whose offsets it does not have, and not the other way round.
    pub(crate) fn look_up(
        plan: &Plan,
        id: &TaskId,
        reader: &mut dyn Reader,
        tombstones: &TombstoneRetention,
    ) -> Result<Bounds, EngineError> {
        let stores = plan.stores_of(id);
        let topic_of = |changelog: &Changelog| match changelog {
            Changelog::Own(topic) | Changelog::Source(topic) => topic.clone(),
        };
        let topics: Vec<TopicName> = stores.iter().map(|(_, changelog)| topic_of(changelog)).collect();
        let ids = reader.topic_ids(&topics)?;
        let starts = input_starts(plan, id, reader)?;
        let partition = id.partition;
        let partitions: Vec<TopicPartition> =
            topics.iter().map(|topic| TopicPartition { topic: topic.clone(), partition }).collect();
        let ends = reader.ends(&partitions)?;
        let mut logs = Vec::new();
        for (((store, changelog), partition), (log, topic)) in stores.into_iter().zip(partitions).zip(ends.into_iter().zip(ids)) {
            let (is_table, bound) = match &changelog {
                Changelog::Own(_) => (false, log.end),
                Changelog::Source(topic) => (true, starts.get(topic).map_or(log.start, |start| start.from.offset)),
            };
            let default = (!is_table).then_some(TOMBSTONES);
            let tombstones = tombstones.get(&partition.topic).copied().unwrap_or(default);
            logs.push(Log { store, partition, is_table, facts: LogFacts { log, bound, topic, tombstones } });
        }
        Ok(Bounds { starts, logs })
    }
}

/// Where the inputs begin: where the group stopped, or at the log's first offset if it never began.
fn input_starts(plan: &Plan, id: &TaskId, reader: &mut dyn Reader) -> Result<BTreeMap<TopicName, InputStart>, EngineError> {
    let topics = plan.inputs_of(id);
    let partitions: Vec<TopicPartition> =
        topics.iter().map(|topic| TopicPartition { topic: topic.clone(), partition: id.partition }).collect();
    let committed = reader.committed(&partitions)?;
    let ends = reader.ends(&partitions)?;
    let mut starts = BTreeMap::new();
    for (partition, (committed, log)) in partitions.into_iter().zip(committed.into_iter().zip(ends)) {
        let span = plan.bounded().filter(|_| plan.role_of(id, &partition.topic) != Some(SourceRole::Repartition));
        let span = span.map(|bounds| bounds.span(&partition));
        let first = span.map_or(log.start, |span| span.start);
        let mut from = committed.unwrap_or(Committed { offset: first, metadata: String::new() });
        if span.is_some_and(|span| from.offset >= span.end) {
            // Nothing of it is read any more, so it does not matter what is left of it.
            starts.insert(partition.topic, InputStart { from, end: log.end });
            continue;
        }
        if let Some(span) = span.filter(|span| log.end < span.end) {
            // It had all of the span when the run was planned. The rest would be waited for, or be other records.
            return Err(EngineError::SpanLost { partition, position: span.end - 1, log });
        }
        if plan.role_of(id, &partition.topic) == Some(SourceRole::Table) {
            // A table is what its topic still has: what was deleted of it needs no processing.
            from.offset = from.offset.max(log.start);
        }
        if let Err(refusal) = check_position(&partition, from.offset, log) {
            if moved_on(reader, &partition, from.offset) {
                return Err(LogError::Retriable("the group went on meanwhile".into()).into());
            }
            return Err(of_run(plan, refusal));
        }
        starts.insert(partition.topic, InputStart { from, end: log.end });
    }
    Ok(starts)
}

/// Refuses a committed position that its log does not have: to go on anywhere else would lose or repeat records silently.
pub(crate) fn check_position(partition: &TopicPartition, position: i64, log: Ends) -> Result<(), EngineError> {
    if position > log.end {
        return Err(EngineError::InputShorter { partition: partition.clone(), position, log });
    }
    if position < log.start {
        return Err(EngineError::InputTrimmed { partition: partition.clone(), position, log });
    }
    Ok(())
}

/// Whether the group has committed a later position by now. A process that stood still may still hold a partition that another one has
/// processed further and trimmed: then nothing is missing of what is still to be processed.
pub(crate) fn moved_on(reader: &mut dyn Reader, partition: &TopicPartition, position: i64) -> bool {
    // If the group cannot be asked now, the next attempt will be.
    let Ok(committed) = reader.committed(std::slice::from_ref(partition)) else { return true };
    committed.into_iter().flatten().any(|committed| committed.offset > position)
}

/// The same refusal for a bounded run. To reset the application would not mend it, because the application is another one.
pub(crate) fn of_run(plan: &Plan, refusal: EngineError) -> EngineError {
    match refusal {
        EngineError::InputShorter { partition, position, log } | EngineError::InputTrimmed { partition, position, log }
            if plan.bounded().is_some() =>
        {
            EngineError::SpanLost { partition, position, log }
        }
        refusal => refusal,
    }
}

/// An input that cannot be read on while it is processed: the same refusal, by its bounds as they are now.
pub(crate) fn refused(plan: &Plan, partition: &TopicPartition, offset: i64, log: Ends) -> EngineError {
    match check_position(partition, offset, log) {
        Err(refusal) => of_run(plan, refusal),
        Ok(()) => LogError::OutOfRange { partition: partition.clone(), offset, log }.into(),
    }
}
