use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::entry::{Entry, Origin};
use super::secret::masked;
use super::settings::Settings;
use super::{environment, file, keys};
use crate::error::CliError;
use crate::explain::codes;

/// Where configuration is looked for. Everything is handed in, the environment too: nothing here reads the process.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The application's name: `<app>.toml` is the file of last resort.
    pub app: String,
    /// The file of `--config`.
    pub file: Option<PathBuf>,
    /// The directory that relative paths of configuration files start from.
    pub directory: PathBuf,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// What flags say, the stronger later.
    pub flags: Vec<Entry>,
}

/// The configuration in force.
#[derive(Clone, Debug)]
pub struct Effective {
    /// What the application uses.
    pub settings: Settings,
    /// Every value with its origin, sorted by key; secrets are masked.
    pub values: Vec<EffectiveValue>,
}

/// One value in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveValue {
    /// The flat key.
    pub key: String,
    /// The value as text, none where nothing is set; masked if it is a secret.
    pub value: Option<String>,
    /// Where it came from.
    pub origin: Origin,
}

/// Reads all layers and merges them: defaults, file, environment, flags; the later one wins.
///
/// Each value is checked where it is found, even if a later layer replaces it: a mistake in a file should not wait for
/// the day the variable that hides it goes away.
pub fn load(sources: &Sources) -> Result<Effective, CliError> {
    let mut winners: BTreeMap<String, Entry> = BTreeMap::new();
    let layers = [file::entries(sources)?, environment::entries(&sources.environment), sources.flags.clone()];
    for entry in layers.into_iter().flatten() {
        check(&entry)?;
        winners.insert(entry.key.clone(), entry);
    }
    let mut tree = keys::tree(&Settings::default());
    for entry in winners.values() {
        keys::insert(&mut tree, &entry.key, entry.value.clone());
    }
    let settings: Settings = serde_json::from_value(tree).map_err(|error| CliError::usage(error.to_string()))?;
    let values = values_in_force(&settings, &winners);
    Ok(Effective { settings, values })
}

/// Refuses a key that does not exist and a value that its key cannot take.
fn check(entry: &Entry) -> Result<(), CliError> {
    let (key, origin) = (&entry.key, &entry.origin);
    if !keys::is_known(key) {
        let nearest = match origin {
            Origin::Environment(_) => environment::variable_for(&keys::suggestion(key)),
            _ => keys::suggestion(key),
        };
        let message = format!("unknown setting {key} ({origin}); did you mean {nearest}?");
        return Err(CliError::usage(message).with_code(codes::UNKNOWN_KEY));
    }
    // With nothing else set, a failure can only be this value's.
    let mut tree = Value::Object(serde_json::Map::new());
    keys::insert(&mut tree, key, entry.value.clone());
    match serde_json::from_value::<Settings>(tree) {
        Ok(_) => Ok(()),
        Err(error) => {
            let value = entry.value.to_string();
            let message = format!("bad value {key} = {} ({origin}): {error}", masked(key, &value));
            Err(CliError::usage(message).with_code(codes::BAD_VALUE))
        }
    }
}

fn values_in_force(settings: &Settings, winners: &BTreeMap<String, Entry>) -> Vec<EffectiveValue> {
    let mut leaves = Vec::new();
    keys::flatten("", &keys::tree(settings), &mut leaves);
    leaves.sort_by(|a, b| a.0.cmp(&b.0));
    let in_force = leaves.into_iter().map(|(key, value)| {
        let origin = winners.get(&key).map_or(Origin::Default, |entry| entry.origin.clone());
        let value = value.as_str().map(|text| masked(&key, text).to_owned());
        EffectiveValue { key, value, origin }
    });
    in_force.collect()
}

#[cfg(test)]
#[path = "layers_tests.rs"]
mod tests;
