//! The whole story in one command: load, process, compare, show.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use headwater::port::Log;
use headwater::{CliError, MemoryLog, Observer, Session};
use indicatif::{ProgressBar, ProgressStyle};

use crate::compare::compare;
use crate::data::DataError;
use crate::load::{self, LoadError, LoadReport};
use crate::tables::{self, Place, Results, Run};
use crate::{oracle, outputs, replay};

/// Runs the demo on the configured cluster, or on a log in memory.
pub fn demo(session: &Session<'_>, partitions: i32, embedded: bool, with_change: bool) -> Result<(), CliError> {
    let settings = session.settings();
    let log: Arc<dyn Log> = if embedded { Arc::new(MemoryLog::new()) } else { session.kafka()? };
    match load_with_bar(log.as_ref(), partitions) {
        Ok(_) => {}
        Err(LoadError::Occupied { found, .. }) => eprintln!("flights are loaded already ({found} records); going on from there"),
        Err(error) => return Err(CliError::failed(error.to_string())),
    }
    // The independent computation runs beside the application: it needs the CSV only.
    let expected = std::thread::spawn(move || oracle::expected(partitions));

    let options = settings.run_options("");
    let workers = options.workers;
    let counted = Arc::new(Counted::default());
    let state = (!embedded).then(|| settings.state.dir.clone());
    let bar = bar("processing");
    let began = Instant::now();
    let mut most = 0;
    session.run_until_consumed(
        Arc::clone(&log),
        state.clone(),
        options,
        Arc::clone(&counted) as Arc<dyn Observer>,
        &mut |remaining| {
            most = remaining.max(most);
            bar.set_length(most);
            bar.set_position(most - remaining);
        },
    )?;
    let elapsed = began.elapsed();
    bar.finish_and_clear();

    let outputs = outputs::read(log.as_ref()).map_err(|error| CliError::failed(error.to_string()))?;
    let expected = expected.join().map_err(|_| CliError::failed("the independent computation panicked"))?;
    let comparison = compare(&outputs, &expected.map_err(|error: DataError| CliError::failed(error.to_string()))?);
    let place = if embedded { Place::Embedded } else { Place::Kafka { bootstrap: &settings.kafka.bootstrap } };
    let records_in = counted.flights.load(Ordering::Relaxed);
    let run = Run { records_in, records_out: outputs.records(), elapsed, workers, place };
    tables::print(&Results::new(&outputs), Some(&comparison), &run);
    if !comparison.is_equal() {
        return Err(CliError::failed("the results differ from the independent computation, see above"));
    }
    println!();
    replay::june(session, &log, state.clone(), replay::Code::AsItIs)?;
    if with_change {
        replay::june(session, &log, state, replay::Code::Changed)?;
    }
    Ok(())
}

/// [`load::load`] with a progress bar on a terminal.
pub fn load_with_bar(log: &dyn Log, partitions: i32) -> Result<LoadReport, LoadError> {
    let bar = bar("loading   ");
    let report = load::load(log, partitions, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    report
}

fn bar(what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} {per_sec} ETA {eta}");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_message(what)
}

/// Counts the records taken from the topic `flights`.
#[derive(Default)]
struct Counted {
    flights: AtomicU64,
}

impl Observer for Counted {
    fn consumed(&self, topic: &str, records: u64, _bytes: u64) {
        if topic == load::FLIGHTS {
            self.flights.fetch_add(records, Ordering::Relaxed);
        }
    }
}
