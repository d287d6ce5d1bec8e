use std::sync::Arc;

use clap::ArgMatches;

use super::serving::Serving;
use super::spec::{AppSpec, RunContext};
use crate::config::Effective;
use crate::error::CliError;
use crate::explain::codes;
use crate::fanout::Fanout;
use crate::logging;

/// Puts everything an operator needs around the engine, runs it, and takes it down again.
pub(super) fn run(spec: &AppSpec, effective: Effective, matches: &ArgMatches) -> Result<(), CliError> {
    let settings = effective.settings;
    logging::init(&settings.log)?;
    let description = (spec.describe)().map_err(|reason| CliError::failed(reason).with_code(codes::INVALID_TOPOLOGY))?;
    let serving = Serving::start(spec.name, description.clone(), &settings, true)?;
    (spec.run)(RunContext {
        settings,
        description,
        embedded: matches.get_flag("embedded"),
        observer: Arc::new(Fanout::new(serving.observers())),
        shutdown: serving.shutdown.clone(),
        health: serving.health.clone(),
        state: serving.state.clone(),
    })
}
