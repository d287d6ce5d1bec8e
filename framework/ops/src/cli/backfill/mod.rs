//! `backfill`: a bounded run of the application over a part of its inputs, and what there is to know and do about such runs.

mod command;
mod files;
#[cfg(test)]
mod files_tests;
mod manage;
mod outcome;
mod parse;
mod progress;
mod report;
mod run;
mod show;
#[cfg(test)]
mod sinks_tests;
mod tally;

use std::io::Write;
use std::sync::Arc;

use clap::ArgMatches;
use headwater_core::Blueprint;
use headwater_core::bounded::RunRecord;
use headwater_runtime::RunError;
use headwater_runtime::backfill::BackfillError;

use super::spec::AppSpec;
use crate::config::Settings;
use crate::error::CliError;
use crate::explain::codes;
use crate::run_error::run_error;

pub(super) use command::command;
pub use files::stage_file;
pub use tally::Tally;

pub(super) fn backfill(spec: &AppSpec, settings: &Settings, matches: &ArgMatches, out: &mut dyn Write) -> Result<(), CliError> {
    match matches.subcommand() {
        None => run::run(spec, settings, matches, out),
        Some((name, matches)) => manage::manage(spec, settings, name, matches, out),
    }
}

fn blueprint(spec: &AppSpec, name: &str) -> Result<Arc<Blueprint>, CliError> {
    (spec.surroundings.blueprint)(name).map_err(|reason| CliError::failed(reason).with_code(codes::INVALID_TOPOLOGY))
}

/// What a run works with: the topology under its name, with what it reads in place of declared inputs, and what a generation writes.
fn run_blueprint(spec: &AppSpec, record: &RunRecord) -> Result<Arc<Blueprint>, CliError> {
    let declared = blueprint(spec, &record.app)?;
    Ok(if record.then_live { record.generation(&declared) } else { declared.reading(&record.staged) })
}

fn backfill_error(error: BackfillError) -> CliError {
    match error {
        BackfillError::Run(RunError::Log(error)) => error.into(),
        BackfillError::Run(error) => run_error(error),
        BackfillError::Store(error) => error.into(),
        BackfillError::InUse { .. } => CliError::failed(error.to_string()).with_code(codes::GROUP_IN_USE),
        BackfillError::Over { .. }
        | BackfillError::StateElsewhere { .. }
        | BackfillError::NoSuchRun { .. }
        | BackfillError::FileChanged { .. }
        | BackfillError::StagedElsewhere { .. } => CliError::failed(error.to_string()),
        _ => CliError::usage(error.to_string()),
    }
}
