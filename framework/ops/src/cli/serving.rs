use std::sync::Arc;

use headwater_core::describe::Description;
use headwater_runtime::{Observer, Shutdown};

use crate::admin::{AdminServer, Health, Site, StatePages, Status};
use crate::config::{Listen, Settings};
use crate::error::CliError;
use crate::metrics::PrometheusObserver;
use crate::shutdown;

/// What an operator needs around the engine: metrics, admin pages, and a stop on SIGTERM and SIGINT.
pub(super) struct Serving {
    metrics: Arc<PrometheusObserver>,
    status: Arc<Status>,
    pub(super) health: Health,
    pub(super) state: StatePages,
    pub(super) shutdown: Shutdown,
    /// Served until the engine has stopped: a probe during the stop gets an answer.
    _admin: Option<AdminServer>,
}

impl Serving {
    /// Of the application `app`; with admin pages if they are wanted and have an address.
    pub(super) fn start(
        app: &str,
        description: Description,
        settings: &Settings,
        wants_pages: bool,
    ) -> Result<Serving, CliError> {
        let metrics = Arc::new(PrometheusObserver::new(app)?);
        let (status, health, shutdown) = (Arc::new(Status::default()), Health::new(), Shutdown::new());
        let state = StatePages::new();
        shutdown::on_signals(&shutdown)?;
        let site = Site {
            description,
            metrics: Arc::clone(&metrics),
            status: Arc::clone(&status),
            health: health.clone(),
            state: settings.admin.show_state.then(|| state.clone()),
        };
        let admin = match &settings.admin.listen {
            Listen::At(address) if wants_pages => Some(AdminServer::start(address, site)?),
            Listen::At(_) | Listen::Off => None,
        };
        Ok(Serving { metrics, status, health, state, shutdown, _admin: admin })
    }

    /// Who is to be told what happens.
    pub(super) fn observers(&self) -> Vec<Arc<dyn Observer>> {
        vec![Arc::clone(&self.metrics) as Arc<dyn Observer>, Arc::clone(&self.status) as Arc<dyn Observer>]
    }
}
