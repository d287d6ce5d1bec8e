use std::sync::Arc;

use clap::{ArgMatches, Command};
use headwater_core::describe::Description;
use headwater_runtime::{Observer, Shutdown};

use crate::admin::Health;
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
    /// Further commands.
    pub commands: Vec<AppCommand>,
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
}
