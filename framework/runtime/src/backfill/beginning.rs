use headwater_core::bounded::RunRecord;
use headwater_core::port::{Log, LogError, ReaderConfig};
use headwater_core::{Blueprint, TopicPartition};

use super::BackfillError;

/// Puts a run that has no end where its plan begins, unless it has begun; and looks that it is not heard too early: one that is not `silent` must
/// write into topics that nobody has written to.
pub fn begin(blueprint: &Blueprint, record: &RunRecord, silent: bool, log: &dyn Log) -> Result<(), BackfillError> {
    let mut reader = log.reader(&ReaderConfig { group: record.app.clone(), read_uncommitted: false })?;
    let starts: Vec<(TopicPartition, i64)> =
        record.spans.iter().map(|span| (TopicPartition::new(span.topic.as_str(), span.partition), span.span.start)).collect();
    let partitions: Vec<TopicPartition> = starts.iter().map(|(partition, _)| partition.clone()).collect();
    if reader.committed(&partitions)?.iter().any(Option::is_some) {
        return Ok(());
    }
    let mut admin = log.admin()?;
    if !silent {
        for (topic, info) in admin.describe(&blueprint.output_topics())? {
            let ends = reader.ends(&TopicPartition::all_of(&topic, info.partitions))?;
            if ends.iter().any(|ends| ends.end > 0) {
                return Err(BackfillError::OutputInUse { topic });
            }
        }
    }
    match admin.set_positions(&record.app, &starts) {
        // Another process of the run has joined meanwhile, from where this one would.
        Err(LogError::Fatal(_)) if !admin.members(&record.app)?.is_empty() => Ok(()),
        set => Ok(set?),
    }
}
