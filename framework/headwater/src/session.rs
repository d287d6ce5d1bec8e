use std::path::PathBuf;
use std::sync::Arc;

use headwater_core::Blueprint;
use headwater_core::port::{Log, Stores};
use headwater_ops::config::Settings;
use headwater_ops::{CliError, run_error};
use headwater_runtime::{Backlog, Observer, Process, RunOptions, Shutdown, World};

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
            ran.map_err(run_error).and(watched)
        })
    }
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
