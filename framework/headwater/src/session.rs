use std::path::PathBuf;
use std::sync::Arc;

use headwater_core::bounded::{Mode, Progress, RunPhase, RunRecord};
use headwater_core::port::{Log, Stores};
use headwater_core::{Blueprint, Topology};
use headwater_files::FileInput;
use headwater_ops::config::Settings;
use headwater_ops::{CliError, run_error};
use headwater_runtime::backfill::{self, BackfillError, Comparison, Difference, Registry, Request, Staged};
use headwater_runtime::{Backlog, Observer, Process, RunOptions, Shutdown, Silent, World, wall_clock};
use headwater_store::LocalState;

use crate::backfill::{Work, work_on};
use crate::world::{self, Scratch};

/// What a command of an application's own works with.
pub struct Session<'a> {
    app: &'static str,
    blueprint: Arc<Blueprint>,
    settings: &'a Settings,
}

impl<'a> Session<'a> {
    pub(crate) fn new(app: &'static str, blueprint: Arc<Blueprint>, settings: &'a Settings) -> Session<'a> {
        Session { app, blueprint, settings }
    }

    /// The configuration in force.
    pub fn settings(&self) -> &'a Settings {
        self.settings
    }

    /// The configured Kafka cluster.
    ///
    /// # Errors
    /// Names the addresses if no broker answers within 10 s.
    pub fn kafka(&self) -> Result<Arc<dyn Log>, CliError> {
        world::kafka(self.settings)
    }

    /// Writes the rows of a file into a topic of backfill `id`, so that it reads them in place of an input's topic: what it answers goes into
    /// [`Request::staged`]. Called again it goes on where it was. `topology` is that of the backfill.
    ///
    /// # Errors
    /// Names the file, the row and the column that cannot be read.
    pub fn stage_file(
        &self,
        log: &dyn Log,
        id: &str,
        file: &FileInput,
        topology: impl FnOnce(&mut Topology),
    ) -> Result<Staged, CliError> {
        let app = Blueprint::of(self.app, topology).map_err(|error| CliError::failed(error.to_string()))?;
        headwater_ops::cli::stage_file(&app, log, id, file).map_err(|error| CliError::failed(error.to_string()))
    }

    /// A backfill of `topology`, which is the application's or a changed one, on `log`: what `APP backfill` does. State is kept as in
    /// [`run_until_consumed`](Session::run_until_consumed). What a comparison needs of its own is removed when it is done.
    pub fn backfill(
        &self,
        log: Arc<dyn Log>,
        state: Option<PathBuf>,
        request: &Request,
        topology: impl Fn(&mut Topology),
        tell: impl Fn(Progress) + Send + 'static,
    ) -> Result<Backfilled, CliError> {
        let described = |name: &str| Blueprint::of(name, &topology).map_err(|error| CliError::failed(error.to_string()));
        let failed = |error: BackfillError| CliError::failed(error.to_string());
        let app = described(self.app)?;
        let drafted = backfill::plan(&app, log.as_ref(), request, wall_clock()).map_err(failed)?;
        let registry = Registry::of(&app, log.as_ref());
        let record = registry.keep(&drafted.record).map_err(failed)?;
        let named = described(&record.app)?;
        let scratch = Scratch::new(self.app);
        let directory = state.unwrap_or_else(|| scratch.path().clone());
        let (work, shutdown) = (
            Work {
                log: Arc::clone(&log),
                record: record.clone(),
                max_rate: None,
                observer: Arc::new(Silent),
                tell: Box::new(tell),
            },
            Shutdown::new(),
        );
        work_on(&named, self.app, self.settings, &directory, work, &shutdown)?;
        registry.end(&record.id, RunPhase::Done).map_err(failed)?;
        let (mut differences, mut comparison) = (Vec::new(), None);
        if record.mode == Mode::Diff {
            let found = backfill::compare(&app, log.as_ref(), &record, &mut |difference| differences.push(difference));
            comparison = Some(found.map_err(failed)?);
            let local = || LocalState::find(&directory, &record.app)?.map_or(Ok(()), |state| state.remove());
            backfill::clean(&registry, &record, &named, log.as_ref(), local).map_err(failed)?;
        }
        Ok(Backfilled { record, warnings: drafted.warnings, comparison, differences })
    }

    /// Runs the application on `log` until everything now in its inputs has been processed and committed, then stops it cleanly. State
    /// is kept in `state`, or for the length of the call if there is none. `progress` is told the offsets still to do, about ten times a second.
    pub fn run_until_consumed(
        &self,
        log: Arc<dyn Log>,
        state: Option<PathBuf>,
        options: RunOptions,
        observer: Arc<dyn Observer>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), CliError> {
        let scratch = Scratch::new(self.app);
        let directory = state.unwrap_or_else(|| scratch.path().clone());
        let stores = world::open_stores(self.settings, &directory, self.app)?;
        let process_id = stores.instance_id().to_owned();
        let stores: Arc<dyn Stores> = Arc::new(stores);
        let world = World { log: Arc::clone(&log), stores, observer };
        let process = Process::prepare(&self.blueprint, world, RunOptions { process_id, ..options }).map_err(run_error)?;
        let mut backlog = Backlog::of(process.plan(), log.as_ref())?;
        let shutdown = Shutdown::new();
        std::thread::scope(|scope| {
            let running = scope.spawn(|| process.run(&shutdown));
            let watched = watch(&mut backlog, || running.is_finished(), progress);
            shutdown.request();
            let ran = running.join().map_err(|_| CliError::failed("the application panicked; see the log above"))?;
            ran.map(drop).map_err(run_error).and(watched)
        })
    }
}

/// What a backfill came to.
#[derive(Clone, Debug)]
pub struct Backfilled {
    /// Its plan.
    pub record: RunRecord,
    /// What may make its results differ from what is expected.
    pub warnings: Vec<String>,
    /// With [`Mode::Diff`], what the comparison came to.
    pub comparison: Option<Comparison>,
    /// With [`Mode::Diff`], every difference.
    pub differences: Vec<Difference>,
}

/// Looks until nothing is left, or the process ended by itself.
#[expect(clippy::disallowed_methods, reason = "looking at the cluster ten times a second is often enough")]
fn watch(backlog: &mut Backlog, ended: impl Fn() -> bool, progress: &mut dyn FnMut(u64)) -> Result<(), CliError> {
    while !ended() {
        let remaining = backlog.remaining()?;
        progress(remaining);
        if remaining == 0 {
            break;
        }
        std::thread::sleep(Backlog::PAUSE);
    }
    Ok(())
}
