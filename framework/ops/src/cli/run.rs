use std::sync::Arc;

use clap::ArgMatches;

use super::spec::{AppSpec, RunContext};
use headwater_runtime::Shutdown;

use crate::admin::{AdminServer, Health, Site, StatePages, Status};
use crate::config::{Effective, Listen};
use crate::error::CliError;
use crate::explain::codes;
use crate::fanout::Fanout;
use crate::logging;
use crate::metrics::PrometheusObserver;
use crate::shutdown;

/// Puts everything an operator needs around the engine, runs it, and takes it down again.
pub(super) fn run(spec: &AppSpec, effective: Effective, matches: &ArgMatches) -> Result<(), CliError> {
    let settings = effective.settings;
    logging::init(&settings.log)?;
    let description = (spec.describe)().map_err(|reason| CliError::failed(reason).with_code(codes::INVALID_TOPOLOGY))?;
    let metrics = Arc::new(PrometheusObserver::new(spec.name)?);
    let (status, health, shutdown) = (Arc::new(Status::default()), Health::new(), Shutdown::new());
    let state = StatePages::new();
    shutdown::on_signals(&shutdown)?;
    let site = Site {
        description: description.clone(),
        metrics: Arc::clone(&metrics),
        status: Arc::clone(&status),
        health: health.clone(),
        state: settings.admin.show_state.then(|| state.clone()),
    };
    // Served until the engine has stopped: a probe during the stop gets an answer.
    let _admin = match &settings.admin.listen {
        Listen::Off => None,
        Listen::At(address) => Some(AdminServer::start(address, site)?),
    };
    (spec.run)(RunContext {
        settings,
        description,
        embedded: matches.get_flag("embedded"),
        observer: Arc::new(Fanout::new(vec![metrics, status])),
        shutdown,
        health,
        state,
    })
}
