//! The topology manifest at start and while running: a version of the application that would misread the state there is does not
//! start, and one that is overtaken by another stops.
//!
//! The control topic is the authority: it survives a lost disk, and all processes see it. The copy in the state directory is compared only
//! where the topic has none, so that a wiped or foreign cluster does not make this state pass for another topology's.

use std::time::Duration;

use headwater_core::port::{Log, LogError, Stores};
use headwater_core::{ControlState, Manifest, Plan, StoredManifest};

use crate::control::Control;
use crate::{RunError, RunOptions};

/// The copy in the state directory.
pub const MANIFEST_MEMO: &str = "manifest.json";
/// How long the control topic may take at start.
pub(crate) const AT_START: Duration = Duration::from_secs(60);
/// The same while the group waits.
const WHILE_RUNNING: Duration = Duration::from_secs(5);

/// The manifest this process runs under.
pub(crate) struct Guard {
    topic: String,
    manifest: Manifest,
    serial: u64,
}

/// Refuses a topology that would misread the state; nothing is made or changed. Answers what the control topic says, if there is one.
pub(crate) fn check(
    plan: &Plan,
    log: &dyn Log,
    stores: &dyn Stores,
    options: &RunOptions,
) -> Result<Option<ControlState>, RunError> {
    let (app, topic) = (plan.blueprint().app(), plan.blueprint().control_topic());
    let state = Control::of(app, &topic, log).read(AT_START)?;
    state.iter().try_for_each(|state| refuse_unfinished_reset(app, state))?;
    let kept = match state.as_ref().and_then(|state| state.manifest.as_ref()) {
        Some(kept) => Some((format!("topic {topic:?}"), kept.clone())),
        None => local(stores)?.map(|kept| (String::from("the state directory"), kept)),
    };
    if let Some((place, kept)) = kept {
        refuse(app, &place, &kept.manifest, &plan.manifest(), &options.accepted_changes)?;
    }
    Ok(state)
}

/// Keeps the manifest in the control topic, which exists by now, and in the state directory. `seen` is what [`check`] found: whoever wrote since is
/// noticed when the manifest is written, or else by [`Guard::verify`].
pub(crate) fn keep(
    plan: &Plan,
    log: &dyn Log,
    stores: &dyn Stores,
    options: &RunOptions,
    seen: Option<ControlState>,
) -> Result<Guard, RunError> {
    let (app, topic, ours) = (plan.blueprint().app(), plan.blueprint().control_topic(), plan.manifest());
    let control = Control::of(app, &topic, log);
    let says_it = |kept: &StoredManifest| kept.manifest == kept.manifest.succeeded_by(&ours);
    let mut kept = seen.and_then(|state| state.manifest);
    if !kept.as_ref().is_some_and(says_it) {
        control.update(AT_START, |state| {
            refuse_unfinished_reset(app, state)?;
            if let Some(there) = state.manifest.as_ref().filter(|there| says_it(there)) {
                // Another process that starts at the same time was quicker.
                kept = Some(there.clone());
                return Ok(Vec::new());
            }
            let next = match &state.manifest {
                None => StoredManifest::new(1, ours.clone()),
                Some(old) => {
                    // Again: somebody may have written since it was checked.
                    refuse(app, &format!("topic {topic:?}"), &old.manifest, &ours, &options.accepted_changes)?;
                    StoredManifest::new(old.serial + 1, old.manifest.succeeded_by(&ours))
                }
            };
            for change in state.manifest.iter().flat_map(|old| old.manifest.changes_to(&ours)) {
                tracing::info!(name = change.name, "topology changed: {change}");
            }
            let (key, value) = next.record();
            kept = Some(next);
            Ok(vec![(key.into(), Some(value))])
        })?;
    }
    let Some(kept) = kept else { return Err(LogError::Fatal(format!("the manifest was not kept in topic {topic:?}")).into()) };
    let (_, text) = kept.record();
    if stores.memo(MANIFEST_MEMO)?.as_ref() != Some(&text) {
        stores.set_memo(MANIFEST_MEMO, Some(&text))?;
    }
    Ok(Guard { topic, manifest: ours, serial: kept.serial })
}

impl Guard {
    /// Whether this process may take tasks over. To be asked after every change of the group and before any task is started: another
    /// version keeps its manifest before it joins, so that none of its tasks comes back here unnoticed.
    pub(crate) fn verify(&mut self, log: &dyn Log) -> Result<(), RunError> {
        let app = &self.manifest.app;
        let state = Control::of(app, &self.topic, log).read(WHILE_RUNNING)?.unwrap_or_default();
        refuse_unfinished_reset(app, &state)?;
        let Some(current) = state.manifest else {
            return Err(RunError::Superseded {
                app: app.clone(),
                why: format!("topic {:?} is empty or gone: the application was reset", self.topic),
            });
        };
        if current.serial != self.serial {
            let changes = current.manifest.refusals(&self.manifest, &[]);
            if !changes.is_empty() {
                let lines: Vec<String> =
                    changes.iter().map(|change| format!("{}: there {}, here {}", change.what, change.old, change.new)).collect();
                return Err(RunError::Superseded { app: app.clone(), why: lines.join("; ") });
            }
            self.serial = current.serial;
        }
        Ok(())
    }
}

fn local(stores: &dyn Stores) -> Result<Option<StoredManifest>, RunError> {
    let Some(text) = stores.memo(MANIFEST_MEMO)? else { return Ok(None) };
    let kept = StoredManifest::from_json(&text);
    kept.map(Some).map_err(|error| RunError::Control { topic: format!("{MANIFEST_MEMO} in the state directory"), error })
}

fn refuse(app: &str, place: &str, kept: &Manifest, ours: &Manifest, accepted: &[String]) -> Result<(), RunError> {
    let changes = kept.refusals(ours, accepted);
    if changes.is_empty() {
        return Ok(());
    }
    Err(RunError::TopologyChanged { app: app.to_owned(), place: place.to_owned(), changes })
}

fn refuse_unfinished_reset(app: &str, state: &ControlState) -> Result<(), RunError> {
    match &state.reset {
        None => Ok(()),
        Some(_) => Err(RunError::UnfinishedReset { app: app.to_owned() }),
    }
}
