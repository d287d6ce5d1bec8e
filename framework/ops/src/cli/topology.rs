//! `topology`: as text, picture, data or manifest, and compared with a manifest kept.

use std::fs;
use std::io::Write;

use clap::ArgMatches;
use headwater_core::{Manifest, Verdict};

use super::dispatch::Invocation;
use super::output::print;
use super::spec::AppSpec;
use crate::error::CliError;
use crate::explain::codes;
use crate::topology::{Format, render};

pub(super) fn topology(
    spec: &AppSpec,
    invocation: &Invocation,
    matches: &ArgMatches,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let invalid = |reason: String| CliError::failed(reason).with_code(codes::INVALID_TOPOLOGY);
    if let Some(file) = matches.get_one::<String>("diff") {
        let manifest = (spec.surroundings.blueprint)(spec.name).map_err(invalid)?.manifest();
        return diff(&invocation.directory.join(file), &manifest, out);
    }
    match matches.get_one::<String>("output").map(String::as_str) {
        Some("manifest") => print(out, &(spec.surroundings.blueprint)(spec.name).map_err(invalid)?.manifest().to_json()),
        asked => {
            let format = asked.and_then(Format::named).unwrap_or(Format::KafkaStreams);
            print(out, &render(&(spec.describe)().map_err(invalid)?, format))
        }
    }
}

/// Every difference on a line; a failure if a start would refuse one of them.
fn diff(file: &std::path::Path, new: &Manifest, out: &mut dyn Write) -> Result<(), CliError> {
    let place = file.display();
    let text = fs::read_to_string(file).map_err(|error| CliError::usage(format!("cannot read {place}: {error}")))?;
    let old = Manifest::from_json(&text).map_err(|error| CliError::usage(format!("{place}: {error}")))?;
    let changes = old.changes_to(new);
    let lines = changes.iter().map(|change| {
        let verdict = match change.verdict {
            Verdict::Compatible => "compatible",
            Verdict::NeedsConsent => "needs consent",
            Verdict::Incompatible => "incompatible",
        };
        format!("{verdict}: {change}\n")
    });
    print(out, &lines.collect::<String>())?;
    let refused = changes.iter().filter(|change| change.verdict != Verdict::Compatible).count();
    if refused == 0 {
        return Ok(());
    }
    let message =
        format!("{refused} of {} changes since {place} would be refused at a start on the state there is", changes.len());
    Err(CliError::failed(message).with_code(codes::TOPOLOGY_CHANGED))
}
