//! What a comparison found, shown as it is found.

use std::fs::File;
use std::io::{BufWriter, Write};

use headwater_core::Blueprint;
use headwater_core::bounded::RunRecord;
use headwater_core::port::Log;
use headwater_runtime::backfill::{Comparison, Difference, compare};

use super::{backfill_error, show};
use crate::error::CliError;

/// Differences shown; all of them go into the file, if one was named.
const SHOWN: u64 = 20;

/// Compares, shows the first differences on stderr and writes all to the file.
pub(super) fn differences(
    blueprint: &Blueprint,
    log: &dyn Log,
    record: &RunRecord,
    file: Option<&String>,
) -> Result<Comparison, CliError> {
    let wrong = |path: &str, error: std::io::Error| CliError::failed(format!("--differences {path}: {error}"));
    let open = |path: &String| File::create(path).map(BufWriter::new).map_err(|error| wrong(path, error));
    let mut writer = file.map(open).transpose()?;
    let (mut found, mut failed) = (0, None);
    let mut differ = |difference: Difference| {
        found += 1;
        if found <= SHOWN {
            eprintln!("{}", as_text(&difference));
        }
        if let Some(writer) = &mut writer
            && let Err(error) = writeln!(writer, "{}", as_json(&difference))
        {
            failed.get_or_insert(error);
        }
    };
    let comparison = compare(blueprint, log, record, &mut differ).map_err(backfill_error)?;
    let flushed = writer.map_or(Ok(()), |mut writer| writer.flush());
    if let (Some(path), Err(error)) = (file, failed.map_or(flushed, Err)) {
        return Err(wrong(path, error));
    }
    if found > SHOWN {
        eprintln!("... and {} more{}", found - SHOWN, file.map_or(" (--differences FILE has them all)", |_| ""));
    }
    Ok(comparison)
}

fn as_text(Difference { topic, key, existing, recomputed }: &Difference) -> String {
    let value = |value: &Option<bytes::Bytes>| value.as_ref().map_or_else(|| String::from("nothing"), |value| show::bytes(value));
    format!("different: {topic} {}: there is {}, computed again {}", show::bytes(key), value(existing), value(recomputed))
}

fn as_json(Difference { topic, key, existing, recomputed }: &Difference) -> serde_json::Value {
    let value = |value: &Option<bytes::Bytes>| value.as_ref().map(|value| show::bytes(value));
    serde_json::json!({"topic": topic, "key": show::bytes(key), "existing": value(existing), "recomputed": value(recomputed)})
}
