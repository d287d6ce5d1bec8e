use std::collections::BTreeMap;

use headwater_core::bounded::{Completion, Mode, Progress, RunPhase, RunRecord};
use headwater_core::port::{Log, MemberInfo, ReaderConfig};
use headwater_core::{Blueprint, ControlState};

use super::BackfillError;
use crate::control::{Control, PATIENCE};
use crate::{RunError, topics};

/// The backfills of an application, as its control topic has them.
pub struct Registry<'a> {
    app: &'a str,
    topic: String,
    log: &'a dyn Log,
}

/// How a run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its record.
    pub record: RunRecord,
    /// How far it is.
    pub progress: Progress,
    /// Who works on it.
    pub members: Vec<MemberInfo>,
}

impl<'a> Registry<'a> {
    /// Those of the application of this blueprint.
    pub fn of(blueprint: &'a Blueprint, log: &'a dyn Log) -> Registry<'a> {
        Registry { app: blueprint.app(), topic: blueprint.control_topic(), log }
    }

    /// The generation in force: the name it runs under.
    pub fn in_force(&self) -> Result<String, BackfillError> {
        Ok(self.state()?.generation(self.app).to_owned())
    }

    /// All runs, by id.
    pub fn runs(&self) -> Result<BTreeMap<String, RunRecord>, BackfillError> {
        Ok(self.state()?.runs)
    }

    /// All runs, by id, and the generation in force, as they are at one moment.
    pub fn overview(&self) -> Result<(BTreeMap<String, RunRecord>, String), BackfillError> {
        let state = self.state()?;
        let in_force = state.generation(self.app).to_owned();
        Ok((state.runs, in_force))
    }

    /// One run.
    ///
    /// # Errors
    /// [`BackfillError::NoSuchRun`] names those there are.
    pub fn run(&self, id: &str) -> Result<RunRecord, BackfillError> {
        let mut runs = self.runs()?;
        let known = runs.keys().cloned().collect();
        runs.remove(id).ok_or_else(|| BackfillError::NoSuchRun { id: id.to_owned(), known })
    }

    /// Keeps a plan, unless there is one of this id: then that one counts. Whoever asks with other flags is refused.
    pub fn keep(&self, record: &RunRecord) -> Result<RunRecord, BackfillError> {
        self.control().create(None)?;
        let mut kept = record.clone();
        self.control().update(PATIENCE, |state| match state.runs.get(&record.id) {
            Some(there) => {
                kept = there.clone();
                Ok(Vec::new())
            }
            None => {
                kept = record.clone();
                let (key, value) = record.record();
                Ok(vec![(key, Some(value))])
            }
        })?;
        resumable(&kept, &record.asked)?;
        Ok(kept)
    }

    /// The plan of this id, if there is one that can be resumed with these flags.
    pub fn resume(&self, id: &str, asked: &BTreeMap<String, String>) -> Result<Option<RunRecord>, BackfillError> {
        let Some(record) = self.runs()?.remove(id) else { return Ok(None) };
        resumable(&record, asked)?;
        Ok(Some(record))
    }

    /// Notes how a run ended. One that is over stays as it is.
    pub fn end(&self, id: &str, phase: RunPhase) -> Result<RunRecord, BackfillError> {
        let mut ended = None;
        self.control().update(PATIENCE, |state| {
            let Some(record) = state.runs.get(id) else { return Ok(Vec::new()) };
            if record.is_over() {
                ended = Some(record.clone());
                return Ok(Vec::new());
            }
            let record = RunRecord { phase, ..record.clone() };
            let (key, value) = record.record();
            ended = Some(record);
            Ok(vec![(key, Some(value))])
        })?;
        ended.ok_or_else(|| BackfillError::NoSuchRun { id: id.to_owned(), known: Vec::new() })
    }

    /// Forgets a run.
    pub(super) fn forget(&self, id: &str) -> Result<(), BackfillError> {
        Ok(self.control().update(PATIENCE, |_| Ok(vec![(RunRecord::key(id), None)]))?)
    }

    /// How a run stands; `blueprint` carries its name.
    pub fn standing(&self, record: RunRecord, blueprint: &std::sync::Arc<Blueprint>) -> Result<Standing, BackfillError> {
        let mut admin = self.log.admin()?;
        let (plan, _) = topics::fit(blueprint, admin.as_mut())?;
        let plan = plan.within(record.bounds());
        let members = admin.members(&record.app)?;
        let mut reader = self.log.reader(&ReaderConfig { group: record.app.clone(), read_uncommitted: false })?;
        let progress = Completion::of(&plan).map(|completion| completion.look(reader.as_mut())).transpose()?.unwrap_or_default();
        Ok(Standing { record, progress, members })
    }

    fn control(&self) -> Control<'_> {
        Control::of(self.app, &self.topic, self.log)
    }

    fn state(&self) -> Result<ControlState, RunError> {
        self.control().state()
    }
}

fn resumable(record: &RunRecord, asked: &BTreeMap<String, String>) -> Result<(), BackfillError> {
    let id = record.id.clone();
    // What a comparison computed can be compared again.
    // One that has taken over is the application, which may be started again.
    let is_comparable = record.phase == RunPhase::Done && (record.mode == Mode::Diff || record.then_live);
    if record.is_over() && !is_comparable {
        return Err(BackfillError::Over { id, phase: record.phase });
    }
    for (flag, is) in asked {
        let was = record.asked.get(flag);
        if was != Some(is) {
            let was = was.cloned().unwrap_or_else(|| String::from("not given"));
            return Err(BackfillError::PlannedOtherwise { id, flag: flag.clone(), was, is: is.clone() });
        }
    }
    Ok(())
}
