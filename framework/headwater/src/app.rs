use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgMatches, Command};
use headwater_core::describe::Description;
use headwater_core::handover::Side;
use headwater_core::port::Log;
use headwater_core::{Blueprint, Topology, TopologyError};
use headwater_ops::admin::WorkerPulse;
use headwater_ops::cli::{self, AppCommand, AppSpec, BoundedWork, RunContext, Surroundings};
use headwater_ops::config::Settings;
use headwater_ops::explain::codes;
use headwater_ops::{CliError, Fanout};
use headwater_runtime::backfill::run_name;
use headwater_runtime::{CrashLoop, Observer, Process, Seat, World, wall_clock};
use headwater_testkit::MemoryLog;

use crate::backfill;
use crate::session::Session;
use crate::stopped::Stopped;
use crate::world::{self, Scratch};

/// An application without commands of its own.
pub fn main(name: &'static str, topology: impl Fn(&mut Topology) + Send + Sync + 'static) -> ExitCode {
    App::new(name, topology).main()
}

/// The topology under a name: the application's, or that of one of its bounded runs.
type Describe = Arc<dyn Fn(&str) -> Result<Arc<Blueprint>, TopologyError>>;
type Seed = Arc<dyn Fn(&MemoryLog) -> Result<(), CliError>>;

/// An application: a name, a topology, and perhaps commands of its own.
pub struct App {
    name: &'static str,
    blueprint: Describe,
    seed: Option<Seed>,
    commands: Vec<AppCommand>,
}

impl App {
    /// An application. Its name is that of its consumer group and the prefix of its internal topics: changing it is starting anew.
    pub fn new(name: &'static str, topology: impl Fn(&mut Topology) + Send + Sync + 'static) -> App {
        let blueprint = move |name: &str| Blueprint::of(name, |t: &mut Topology| topology(t));
        App { name, blueprint: Arc::new(blueprint), seed: None, commands: Vec::new() }
    }

    /// What `run --embedded` finds in its log: create the input topics and fill them. Without it they are empty, with 4 partitions.
    pub fn seed(mut self, seed: impl Fn(&MemoryLog) -> Result<(), CliError> + 'static) -> App {
        self.seed = Some(Arc::new(seed));
        self
    }

    /// Adds a command. Flags for the cluster and the state directory are added by [`cluster_flags`](crate::cluster_flags).
    pub fn command(mut self, command: Command, run: impl Fn(&Session<'_>, &ArgMatches) -> Result<(), CliError> + 'static) -> App {
        let (name, blueprint) = (self.name, Arc::clone(&self.blueprint));
        let run = move |settings: &Settings, matches: &ArgMatches| {
            run(&Session::new(name, described(&blueprint, name)?, settings), matches)
        };
        self.commands.push(AppCommand { command, run: Box::new(run) });
        self
    }

    /// Reads the command line and does what it says.
    pub fn main(self) -> ExitCode {
        #[cfg(feature = "mimalloc")]
        crate::allocator::link();
        let (name, seed) = (self.name, self.seed);
        let (for_describe, for_run, for_work) =
            (Arc::clone(&self.blueprint), Arc::clone(&self.blueprint), Arc::clone(&self.blueprint));
        let describe = move || -> Result<Description, String> {
            for_describe(name).map(|blueprint| blueprint.describe()).map_err(|error| error.to_string())
        };
        let run = move |context: RunContext| {
            let generation = generation(name, context.settings.run.generation.as_deref());
            run(name, &described(&for_run, &generation)?, seed.as_deref(), context)
        };
        let blueprint = self.blueprint;
        let surroundings = Surroundings {
            blueprint: Box::new(move |name| blueprint(name).map_err(|error| error.to_string())),
            log: Box::new(world::kafka),
            state: Box::new(move |settings| {
                world::stopped_state(settings, &generation(name, settings.run.generation.as_deref()))
            }),
            local: Box::new(world::local_directory),
        };
        let commands = self.commands;
        let work = move |work: BoundedWork| backfill::work(&described(&for_work, &work.record.app)?, name, work);
        let (describe, run, work) = (Box::new(describe), Box::new(run), Box::new(work));
        cli::main(AppSpec { name, describe, run, work, surroundings, commands })
    }
}

fn described(blueprint: &Describe, name: &str) -> Result<Arc<Blueprint>, CliError> {
    blueprint(name).map_err(|error| CliError::failed(error.to_string()).with_code(codes::INVALID_TOPOLOGY))
}

/// The name that a generation runs under.
fn generation(app: &str, id: Option<&str>) -> String {
    id.map_or_else(|| app.to_owned(), |id| run_name(app, id))
}

fn run(
    name: &str,
    blueprint: &Arc<Blueprint>,
    seed: Option<&dyn Fn(&MemoryLog) -> Result<(), CliError>>,
    mut context: RunContext,
) -> Result<(), CliError> {
    let scratch = context.embedded.then(|| Scratch::new(name));
    if let Some(scratch) = &scratch {
        context.settings.state.dir = scratch.path().clone();
    }
    let (stores, id) = world::stores(&context.settings, blueprint.app())?;
    let Some(rule) = context.settings.back_off().filter(|_| scratch.is_none()) else {
        let log: Arc<dyn Log> = match &scratch {
            Some(_) => Arc::new(embedded_log(blueprint, seed)?),
            None => world::kafka(&context.settings)?,
        };
        return serve(name, blueprint, World { log, stores, observer: Arc::clone(&context.observer) }, &id, &context)
            .map_err(Stopped::into_error);
    };
    let crashes = Arc::new(CrashLoop::recall(Arc::clone(&stores), Arc::clone(&context.observer)));
    if !crashes.wait(&rule, wall_clock(), &context.shutdown) {
        return Ok(());
    }
    let observer: Arc<dyn Observer> =
        Arc::new(Fanout::new(vec![Arc::clone(&context.observer), Arc::clone(&crashes) as Arc<dyn Observer>]));
    let ran = world::kafka(&context.settings).map_err(Stopped::from);
    let ran = ran.and_then(|log| serve(name, blueprint, World { log, stores, observer }, &id, &context));
    ran.map_err(|stopped| {
        crashes.failed(stopped.failure(), wall_clock());
        stopped.into_error()
    })
}

/// Runs until it is asked to stop.
fn serve(app: &str, blueprint: &Arc<Blueprint>, world: World, id: &str, context: &RunContext) -> Result<(), Stopped> {
    let seat = Seat { app: app.to_owned(), side: Side::Old };
    let process = match Process::prepare_generation(blueprint, seat, world, context.settings.run_options(id)) {
        // It was told to stop before it had begun: what kept it from beginning does not matter any more.
        Err(_) if context.shutdown.is_requested() => return Ok(()),
        process => process?,
    };
    let ages = process.heartbeat();
    let pulse = |(worker, age): (usize, Duration)| WorkerPulse { worker, age, failed: None };
    context.health.watch(move || ages().into_iter().enumerate().map(pulse).collect());
    context.state.serve(process.state_desk());
    process.run(&context.shutdown)?;
    Ok(())
}

fn embedded_log(blueprint: &Blueprint, seed: Option<&dyn Fn(&MemoryLog) -> Result<(), CliError>>) -> Result<MemoryLog, CliError> {
    let log = MemoryLog::new();
    match seed {
        Some(seed) => seed(&log)?,
        None => blueprint.input_topics().iter().for_each(|topic| log.create_topic(topic, 4)),
    }
    Ok(log)
}
