//! Working on a bounded run: its own name, its own state, and commits that are larger and rarer than a live run's.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use headwater_core::Blueprint;
use headwater_core::bounded::{Progress, RunRecord};
use headwater_core::handover::Side;
use headwater_core::port::Log;
use headwater_ops::cli::BoundedWork;
use headwater_ops::config::Settings;
use headwater_ops::{CliError, run_error};
use headwater_runtime::backfill::{self, Ended, Goal};
use headwater_runtime::{Observer, Process, RunOptions, Seat, Shutdown, World};

use crate::world;

/// Nobody waits for single results: as long as the work is lost to a crash without regret, well below a transaction's timeout.
const INTERVAL: Duration = Duration::from_secs(3);
/// Where somebody waits behind an open transaction: tasks behind a repartition topic, and readers of an output that the run shares.
const AWAITED_INTERVAL: Duration = Duration::from_secs(1);

/// What is to be done, and who is told.
pub(crate) struct Work {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) record: RunRecord,
    pub(crate) max_rate: Option<u64>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) tell: Box<dyn Fn(Progress) + Send>,
}

/// Works on the run of a plan; `blueprint` carries its name, `app` is the application whose control topic has it.
pub(crate) fn work(blueprint: &Arc<Blueprint>, app: &str, work: BoundedWork) -> Result<Ended, CliError> {
    let BoundedWork { settings, log, record, max_rate, observer, tell, shutdown } = work;
    if record.then_live {
        let (stores, id) = world::stores(&settings, &record.app)?;
        let options = settings.run_options(&id);
        // Topics that the command names, and nobody else, are its to make.
        let create_outputs = options.create_outputs || record.asked.contains_key("--output-suffix");
        let options = RunOptions { max_rate, create_outputs, ..options };
        return follow(blueprint, app, &record, World { log, stores, observer }, options, &shutdown);
    }
    let work = Work { log, record, max_rate, observer, tell };
    work_on(blueprint, app, &settings, &settings.state.dir, work, &shutdown)
}

/// Follows the generation in force, takes over from it, and goes on live.
fn follow(
    blueprint: &Arc<Blueprint>,
    app: &str,
    record: &RunRecord,
    world: World,
    options: RunOptions,
    shutdown: &Shutdown,
) -> Result<Ended, CliError> {
    // In the same topics only one of the two may be heard.
    let silent = record.asked.contains_key("--same-output");
    backfill::begin(blueprint, record, silent, world.log.as_ref()).map_err(|error| CliError::failed(error.to_string()))?;
    let seat = Seat { app: app.to_owned(), side: Side::New { silent } };
    let process = Process::prepare_generation(blueprint, seat, world, options).map_err(run_error)?;
    process.run(shutdown).map_err(run_error)
}

/// The same with state in a directory of its own.
pub(crate) fn work_on(
    blueprint: &Arc<Blueprint>,
    app: &str,
    settings: &Settings,
    directory: &Path,
    work: Work,
    shutdown: &Shutdown,
) -> Result<Ended, CliError> {
    let Work { log, record, max_rate, observer, tell } = work;
    let blueprint = blueprint.reading(&record.staged);
    let stores = world::open_stores(settings, directory, &record.app)?;
    let options = settings.run_options(stores.instance_id());
    let options = RunOptions {
        bulk_interval: bulk_interval(&blueprint, &record),
        // A run has topics of its own, but for outputs that are there already.
        create_outputs: true,
        // Whoever works on a run comes and goes.
        instance: None,
        process_id: stores.instance_id().to_owned(),
        max_rate,
        ..options
    };
    backfill::inherit(&blueprint, app, &record, log.as_ref(), &options).map_err(|error| CliError::failed(error.to_string()))?;
    let goal = Goal { app: app.to_owned(), control: headwater_core::control_topic(app), id: record.id.clone(), tell };
    let world = World { log, stores: Arc::new(stores), observer };
    let process = Process::prepare_bounded(&blueprint, record.bounds(), goal, world, options).map_err(run_error)?;
    process.run(shutdown).map_err(run_error)
}

/// How long a run may go on without a commit while there is something to do.
fn bulk_interval(blueprint: &Blueprint, record: &RunRecord) -> Duration {
    let is_shared = record.asked.contains_key("--same-output");
    let is_awaited = is_shared || blueprint.has_repartitions();
    if is_awaited { AWAITED_INTERVAL } else { INTERVAL }
}
