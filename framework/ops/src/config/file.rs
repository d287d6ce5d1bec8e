use std::fs;
use std::path::{Path, PathBuf};

use config::{File, FileFormat, Source, Value as ConfigValue, ValueKind};
use serde_json::Value;

use super::entry::{Entry, Origin};
use super::keys;
use super::layers::Sources;
use crate::error::CliError;
use crate::explain::codes;

/// The file layer: the file of `--config`, else of `HEADWATER_CONFIG`, else `<app>.toml` in the working directory if
/// there is one.
pub(super) fn entries(sources: &Sources) -> Result<Vec<Entry>, CliError> {
    let asked = match (&sources.file, sources.environment.get("HEADWATER_CONFIG").filter(|path| !path.is_empty())) {
        (Some(path), _) => Some((path.clone(), "--config")),
        (None, Some(path)) => Some((PathBuf::from(path), "HEADWATER_CONFIG")),
        (None, None) => None,
    };
    match asked {
        Some((path, place)) => read(&path, &sources.directory, Some(place)),
        None => read(Path::new(&format!("{}.toml", sources.app)), &sources.directory, None),
    }
}

/// Reads `path`, relative to `directory`. A file that nobody asked for may be missing.
fn read(path: &Path, directory: &Path, asked_by: Option<&str>) -> Result<Vec<Entry>, CliError> {
    let text = match fs::read_to_string(directory.join(path)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && asked_by.is_none() => return Ok(Vec::new()),
        Err(error) => {
            let place = asked_by.map(|place| format!(" ({place})")).unwrap_or_default();
            return Err(refused(format!("cannot read the configuration file {}{place}: {error}", path.display())));
        }
    };
    let tables = File::from_str(&text, FileFormat::Toml)
        .collect()
        .map_err(|error| refused(format!("{} is not valid TOML: {}", path.display(), first_and_last_line(&error.to_string()))))?;
    let mut leaves = Vec::new();
    for (name, value) in tables {
        keys::flatten(&name, &to_json(value), &mut leaves);
    }
    leaves.sort_by(|a, b| a.0.cmp(&b.0));
    let origin = Origin::File(path.display().to_string());
    Ok(leaves.into_iter().map(|(key, value)| Entry { key, value, origin: origin.clone() }).collect())
}

fn refused(message: String) -> CliError {
    CliError::usage(message).with_code(codes::BAD_VALUE)
}

/// Of a report with a picture of the source: where, and what was expected.
fn first_and_last_line(report: &str) -> String {
    let mut lines = report.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let last = lines.next_back().map(|line| format!(": {line}")).unwrap_or_default();
    format!("{first}{last}")
}

fn to_json(value: ConfigValue) -> Value {
    match value.kind {
        ValueKind::Nil => Value::Null,
        ValueKind::Boolean(value) => value.into(),
        ValueKind::I64(value) => value.into(),
        ValueKind::U64(value) => value.into(),
        ValueKind::I128(value) => value.to_string().into(),
        ValueKind::U128(value) => value.to_string().into(),
        ValueKind::Float(value) => value.into(),
        ValueKind::String(value) => value.into(),
        ValueKind::Table(table) => Value::Object(table.into_iter().map(|(name, value)| (name, to_json(value))).collect()),
        ValueKind::Array(items) => Value::Array(items.into_iter().map(to_json).collect()),
    }
}
