use std::sync::Arc;

use headwater_core::Blueprint;
use headwater_core::bounded::{Mode, RunRecord};
use headwater_core::port::{Log, StoreError};

use super::{BackfillError, Registry};

/// What was removed of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleaning {
    /// Topics.
    pub topics: Vec<String>,
    /// Its results, which stay.
    pub kept: Vec<String>,
}

/// Removes what a run has of its own: internal topics, rows staged from files, the results of a comparison, its group, local state (by `local`), and its record. What
/// it wrote for others stays. Can be done again after it was cut short. `blueprint` carries the run's name.
///
/// # Errors
/// [`BackfillError::InUse`] while somebody works on it.
pub fn clean(
    registry: &Registry<'_>,
    record: &RunRecord,
    blueprint: &Arc<Blueprint>,
    log: &dyn Log,
    local: impl FnOnce() -> Result<(), StoreError>,
) -> Result<Cleaning, BackfillError> {
    if registry.in_force()? == record.app {
        return Err(BackfillError::InForce { id: record.id.clone() });
    }
    let mut admin = log.admin()?;
    let members = admin.members(&record.app)?;
    if !members.is_empty() {
        return Err(BackfillError::InUse { id: record.id.clone(), members });
    }
    let mut names = blueprint.internal_topic_names();
    names.push(blueprint.control_topic());
    names.extend(record.staged.values().cloned());
    let results: Vec<String> = record.outputs.values().flatten().cloned().collect();
    // A comparison's are of no use to anybody else; dead letters are named after the run in every mode.
    let (own, kept): (Vec<String>, Vec<String>) =
        results.into_iter().partition(|topic| record.mode == Mode::Diff && topic.starts_with(&record.app));
    names.extend(own);
    let mut topics: Vec<String> = admin.describe(&names)?.into_keys().collect();
    topics.sort_unstable();
    admin.delete(&topics)?;
    admin.delete_group(&record.app)?;
    local()?;
    let kept = admin.describe(&kept)?.into_keys().collect();
    registry.forget(&record.id)?;
    Ok(Cleaning { topics, kept })
}
