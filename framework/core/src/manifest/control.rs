//! The records of the control topic. Each has a key that says what it is and a value in JSON with a version; the newest of a key counts.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Manifest, ManifestError};
use crate::bounded::RunRecord;
use crate::handover::{Confirmation, Handover, Step};

const MANIFEST: &str = "manifest";
const RESET: &str = "reset";
/// Followed by the run's id.
const RUN: &str = "run/";
const HANDOVER: &str = "handover";
/// Followed by the name of who confirms.
const CONFIRMED: &str = "confirmed/";
/// Version of the values.
const VERSION: u32 = 1;

/// The manifest as the control topic keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredManifest {
    version: u32,
    /// Counts the manifests of this application: a larger one is newer.
    pub serial: u64,
    /// The manifest.
    pub manifest: Manifest,
}

/// A reset has begun. It goes when the reset is done: until then nothing fits together and nothing may start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetMark {
    version: u32,
    /// Topics whose deletion was decided when it began.
    pub topics: Vec<String>,
}

/// What the control topic says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControlState {
    /// The manifest in force.
    pub manifest: Option<StoredManifest>,
    /// The reset under way.
    pub reset: Option<ResetMark>,
    /// Bounded runs, by id.
    pub runs: BTreeMap<String, RunRecord>,
    /// The newest hand-over.
    pub handover: Option<Handover>,
    /// What processes have confirmed, by their names.
    pub confirmed: BTreeMap<String, Confirmation>,
}

/// A record of the control topic that cannot be read.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum ControlError {
    /// Written by a newer version of the framework.
    #[error(
        "the record {key:?} has version {found}; this version of Headwater reads version {VERSION}: use the version that wrote it, or a newer one"
    )]
    Newer {
        /// The record's key.
        key: String,
        /// Its version.
        found: u64,
    },
    /// Not what a record of its key looks like.
    #[error("the record {key:?} cannot be read: {message}")]
    Malformed {
        /// The record's key.
        key: String,
        /// What is wrong.
        message: String,
    },
    /// The manifest in it is of another format.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

impl StoredManifest {
    /// A manifest to be kept.
    pub fn new(serial: u64, manifest: Manifest) -> StoredManifest {
        StoredManifest { version: VERSION, serial, manifest }
    }

    /// Key and value of its record.
    pub fn record(&self) -> (&'static str, String) {
        (MANIFEST, to_json(self))
    }

    /// Reads the value of such a record.
    pub fn from_json(text: &str) -> Result<StoredManifest, ControlError> {
        let json = versioned(MANIFEST, text.as_bytes())?;
        if let Some(manifest) = json.get("manifest") {
            Manifest::from_json(&manifest.to_string())?;
        }
        typed(MANIFEST, json)
    }
}

impl ResetMark {
    /// The mark of a reset that will delete these topics.
    pub fn new(topics: Vec<String>) -> ResetMark {
        ResetMark { version: VERSION, topics }
    }

    /// Key and value of its record.
    pub fn record(&self) -> (&'static str, String) {
        (RESET, to_json(self))
    }
}

impl ControlState {
    /// Takes a record; those of unknown keys are left alone: they are of later versions, which say by the manifest's version what must
    /// not be missed.
    pub fn apply(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), ControlError> {
        match (key, value) {
            (b"manifest", None) => self.manifest = None,
            (b"manifest", Some(value)) => self.manifest = Some(StoredManifest::from_json(&String::from_utf8_lossy(value))?),
            (b"reset", None) => self.reset = None,
            (b"reset", Some(value)) => self.reset = Some(typed(RESET, versioned(RESET, value)?)?),
            (b"handover", None) => self.handover = None,
            (b"handover", Some(value)) => self.handover = Some(typed(HANDOVER, versioned(HANDOVER, value)?)?),
            _ => self.apply_keyed(key, value)?,
        }
        Ok(())
    }

    fn apply_keyed(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), ControlError> {
        let Ok(key) = std::str::from_utf8(key) else { return Ok(()) };
        if let Some(id) = key.strip_prefix(RUN) {
            return keep(&mut self.runs, key, id, value);
        }
        match key.strip_prefix(CONFIRMED) {
            Some(who) => keep(&mut self.confirmed, key, who, value),
            None => Ok(()),
        }
    }

    /// The generation in force: the name that the last hand-over that was completed gave it, or the application's own.
    pub fn generation<'a>(&'a self, app: &'a str) -> &'a str {
        match &self.handover {
            Some(handover) if handover.step == Step::Promoted => &handover.to,
            Some(handover) => &handover.from,
            None => app,
        }
    }

    /// What is behind the declared names of the outputs that the generation in force writes; none if nothing is.
    pub fn output_suffix(&self, app: &str) -> Option<&str> {
        let name = self.generation(app);
        self.runs.values().find(|run| run.app == name).and_then(|run| run.output_suffix.as_deref())
    }

    /// The partitions confirmed in a step of the hand-over under way.
    pub fn confirmed_in(&self, step: Step) -> BTreeSet<(String, i32)> {
        let attempt = self.handover.as_ref().map(|handover| handover.attempt);
        let counts = |found: &&Confirmation| found.step == step && Some(found.attempt) == attempt;
        self.confirmed.values().filter(counts).flat_map(|found| found.partitions.iter().cloned()).collect()
    }
}

fn keep<T: for<'a> Deserialize<'a>>(
    kept: &mut BTreeMap<String, T>,
    key: &str,
    name: &str,
    value: Option<&[u8]>,
) -> Result<(), ControlError> {
    match value {
        Some(value) => drop(kept.insert(name.to_owned(), typed(key, versioned(key, value)?)?)),
        None => drop(kept.remove(name)),
    }
    Ok(())
}

impl Handover {
    /// Key and value of its record in the control topic.
    pub fn record(&self) -> (String, String) {
        (HANDOVER.to_owned(), to_json(self))
    }
}

impl Confirmation {
    /// Key and value of the record of whoever has this name.
    pub fn record(&self, who: &str) -> (String, String) {
        (format!("{CONFIRMED}{who}"), to_json(self))
    }
}

impl RunRecord {
    /// Key and value of its record in the control topic.
    pub fn record(&self) -> (String, String) {
        (RunRecord::key(&self.id), to_json(self))
    }

    /// The key of a run's record.
    pub fn key(id: &str) -> String {
        format!("{RUN}{id}")
    }
}

fn to_json(value: &impl Serialize) -> String {
    // Strings, numbers and maps with string keys: nothing in it can fail to become JSON.
    serde_json::to_string(value).unwrap_or_default()
}

fn malformed(key: &str, message: impl ToString) -> ControlError {
    ControlError::Malformed { key: key.to_owned(), message: message.to_string() }
}

fn versioned(key: &str, value: &[u8]) -> Result<serde_json::Value, ControlError> {
    let json: serde_json::Value = serde_json::from_slice(value).map_err(|error| malformed(key, error))?;
    match json.get("version").and_then(serde_json::Value::as_u64) {
        Some(found) if found > u64::from(VERSION) => Err(ControlError::Newer { key: key.to_owned(), found }),
        Some(_) => Ok(json),
        None => Err(malformed(key, "it has no version")),
    }
}

fn typed<T: for<'a> Deserialize<'a>>(key: &str, json: serde_json::Value) -> Result<T, ControlError> {
    serde_json::from_value(json).map_err(|error| malformed(key, error))
}
