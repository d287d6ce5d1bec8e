use std::path::PathBuf;
use std::sync::Arc;

use clap::{ArgMatches, Command};
use headwater_core::Blueprint;
use headwater_core::bounded::{Progress, RunRecord};
use headwater_core::describe::Description;
use headwater_core::port::{Log, StoreError, Stores};
use headwater_runtime::backfill::Ended;
use headwater_runtime::{Observer, Shutdown};

use crate::admin::{Health, StatePages};
use crate::config::Settings;
use crate::error::CliError;

/// An application, as the command line needs it.
pub struct AppSpec {
    /// Its name: of the binary, of the group, of the configuration file.
    pub name: &'static str,
    /// Builds the topology far enough to show it; the error says what does not fit together.
    pub describe: Box<dyn Fn() -> Result<Description, String>>,
    /// Runs until it is asked to stop or fails.
    pub run: Box<dyn Fn(RunContext) -> Result<(), CliError>>,
    /// Works on a bounded run until it is over or a stop is asked for.
    pub work: Box<dyn Fn(BoundedWork) -> Result<Ended, CliError>>,
    /// What the commands work with that look into an application from outside.
    pub surroundings: Surroundings,
    /// Further commands.
    pub commands: Vec<AppCommand>,
}

/// Makes a thing from settings.
type Find<T> = Box<dyn Fn(&Settings) -> Result<T, CliError>>;

/// The same for an application, or a run, of this name.
type FindNamed<T> = Box<dyn Fn(&Settings, &str) -> Result<T, CliError>>;

/// An application's topology, cluster and state directory, each got when it is needed.
pub struct Surroundings {
    /// The topology under a name: the application's, or that of one of its bounded runs. The error says what does not fit together.
    pub blueprint: Box<dyn Fn(&str) -> Result<Arc<Blueprint>, String>>,
    /// The configured cluster.
    pub log: Find<Arc<dyn Log>>,
    /// The state of a stopped instance, to be read; none if there is none.
    pub state: Find<Option<StoppedState>>,
    /// The same, to be removed: of the application or one of its bounded runs.
    pub local: FindNamed<Option<LocalDirectory>>,
}

/// The state directory of an instance that does not run, locked for as long as this lives.
pub struct StoppedState {
    /// Where it is.
    pub path: PathBuf,
    /// Opens its tasks.
    pub stores: Arc<dyn Stores>,
    /// The tasks that have state.
    pub tasks: Vec<String>,
}

/// A state directory to be removed, locked for as long as this lives.
pub struct LocalDirectory {
    /// Where it is.
    pub path: PathBuf,
    /// Removes what is in it.
    pub remove: Box<dyn FnOnce() -> Result<(), StoreError>>,
}

/// A command's body: from settings and its own arguments to done or failed.
pub type RunCommand = Box<dyn Fn(&Settings, &ArgMatches) -> Result<(), CliError>>;

/// A command of an application's own.
pub struct AppCommand {
    /// Its name, help and arguments. Give it [`cluster_flags`](super::cluster_flags) if it talks to Kafka or opens state.
    pub command: Command,
    /// What it does, after configuration was read and logging started.
    pub run: RunCommand,
}

/// What `backfill` gives the engine.
pub struct BoundedWork {
    /// The configuration in force.
    pub settings: Settings,
    /// The cluster.
    pub log: Arc<dyn Log>,
    /// The plan.
    pub record: RunRecord,
    /// Input records a second, at most.
    pub max_rate: Option<u64>,
    /// Tell it everything.
    pub observer: Arc<dyn Observer>,
    /// Told how far the run is.
    pub tell: Box<dyn Fn(Progress) + Send>,
    /// Look at it between batches.
    pub shutdown: Shutdown,
}

/// What `run` gives the engine.
pub struct RunContext {
    /// The configuration in force.
    pub settings: Settings,
    /// The topology as [`AppSpec::describe`] described it.
    pub description: Description,
    /// Whether to run on the in-process log instead of Kafka.
    pub embedded: bool,
    /// Tell it everything: metrics and the admin pages hang on it, [`Phase`](headwater_runtime::Phase) above all.
    pub observer: Arc<dyn Observer>,
    /// Look at it between batches; SIGTERM and SIGINT are wired to it already.
    pub shutdown: Shutdown,
    /// Call [`Health::watch`] once there are workers.
    pub health: Health,
    /// Call [`StatePages::serve`] once there are workers.
    pub state: StatePages,
}
