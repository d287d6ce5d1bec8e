use std::sync::Arc;

use headwater_core::bounded::RunRecord;
use headwater_core::port::{Log, LogError, ReaderConfig};
use headwater_core::{Blueprint, TopicPartition};

use super::BackfillError;
use crate::RunError;
use crate::control::Control;

/// Puts a run that has no end where its plan begins, unless it has begun; and looks that it is not heard too early: one that is not `silent` must
/// write into topics that nobody has written to.
pub fn begin(blueprint: &Arc<Blueprint>, record: &RunRecord, silent: bool, log: &dyn Log) -> Result<(), BackfillError> {
    let mut reader = log.reader(&ReaderConfig { group: record.app.clone(), read_uncommitted: false })?;
    let times = blueprint.input_times();
    let starts = record.beginnings(|topic| times.get(topic).is_none_or(|times| times.is_record_time));
    let partitions: Vec<TopicPartition> = starts.iter().map(|(partition, _)| partition.clone()).collect();
    if reader.committed(&partitions)?.iter().any(Option::is_some) {
        return Ok(());
    }
    let mut admin = log.admin()?;
    if !silent {
        for (topic, info) in admin.describe(&record.generation(blueprint).output_topics())? {
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

/// The topology of generation `blueprint` of application `app`, as its plan says what it writes to, and what comes before its streams.
pub(crate) fn continued(blueprint: &Arc<Blueprint>, app: &str, log: &dyn Log) -> Result<Arc<Blueprint>, RunError> {
    if blueprint.app() == app {
        return Ok(Arc::clone(blueprint));
    }
    let state = Control::of(app, &headwater_core::control_topic(app), log).state()?;
    let run = state.runs.values().find(|run| run.app == blueprint.app());
    Ok(run.map_or_else(|| Arc::clone(blueprint), |run| run.generation(blueprint)))
}
