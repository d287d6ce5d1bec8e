//! The topology manifest: what a topology's state looks like, kept with the application, so that a version of it that would misread
//! the state is refused before it touches anything. Identity is by name; order means nothing.

mod build;
mod change;
mod compare;
mod control;
mod entries;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use build::control_topic;
pub use change::{TopologyChange, Verdict};
pub use control::{ControlError, ControlState, ResetMark, StoredManifest};
pub use entries::{InputEntry, OperatorEntry, RepartitionEntry, StoreEntry};

/// Version of the manifest's own JSON.
const FORMAT: u32 = 1;
/// Version of what stores and changelogs hold: the layout of keys and the cells around values.
const STATE_FORMAT: u32 = 1;

/// What one version of an application keeps, by name. Partition counts are none where no cluster was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this JSON.
    pub format: u32,
    /// Version of the bytes in stores and changelogs.
    pub state_format: u32,
    /// The application.
    pub app: String,
    /// Topics read, by name.
    pub inputs: BTreeMap<String, InputEntry>,
    /// Operators with a name of their own. Those without keep nothing and are not listed.
    pub operators: BTreeMap<String, OperatorEntry>,
    /// Repartitions, by the name the user gave.
    pub repartitions: BTreeMap<String, RepartitionEntry>,
    /// Stores, by name.
    pub stores: BTreeMap<String, StoreEntry>,
    /// Stores that earlier versions had and that were given up knowingly: their changelogs are still there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub retired: BTreeMap<String, StoreEntry>,
}

/// Why a text is not a manifest.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum ManifestError {
    /// Not JSON, or not this JSON.
    #[error("not a topology manifest: {0}")]
    Malformed(String),
    /// Written by a newer version of the framework.
    #[error(
        "the topology manifest has format {found}; this version of Headwater reads format {FORMAT}: use the version that wrote it, or a newer one"
    )]
    Newer {
        /// Its format.
        found: u32,
    },
}

impl Manifest {
    /// As JSON for people and files, ending with a newline.
    pub fn to_json(&self) -> String {
        // Strings, numbers and maps with string keys: nothing in it can fail to become JSON.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Reads what [`to_json`](Manifest::to_json) wrote.
    pub fn from_json(text: &str) -> Result<Manifest, ManifestError> {
        let malformed = |error: serde_json::Error| ManifestError::Malformed(error.to_string());
        let json: serde_json::Value = serde_json::from_str(text).map_err(malformed)?;
        match json.get("format").and_then(serde_json::Value::as_u64) {
            Some(found) if found > u64::from(FORMAT) => {
                Err(ManifestError::Newer { found: u32::try_from(found).unwrap_or(u32::MAX) })
            }
            Some(_) => serde_json::from_value(json).map_err(malformed),
            None => Err(ManifestError::Malformed("it has no format".into())),
        }
    }
}

#[cfg(test)]
mod tests;
