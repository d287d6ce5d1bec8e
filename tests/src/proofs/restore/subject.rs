//! Our side of the comparison: a process of an application whose only store is to be read back.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use headwater::adapters::{RocksStores, StoreOptions};
use headwater::{Blueprint, Observer, Process, RunOptions, Shutdown, Topology, World};
use headwater_kafka::{KafkaConfig, KafkaLog};

use super::{APP, INPUT, PARTITIONS, STORE};

/// Waits for nothing: it is told.
#[derive(Default)]
struct Stopwatch {
    seen: Mutex<Seen>,
    shutdown: Shutdown,
}

#[derive(Default)]
struct Seen {
    records: u64,
    tasks: i32,
    /// From the first task's beginning to the last one's end.
    span: Option<(Instant, Instant)>,
}

impl Observer for Stopwatch {
    fn restoring(&self, _store: &str, _partition: i32, applied: u64, _remaining: u64) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).records += applied;
    }

    fn restored(&self, _task: &str, took: Duration) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let end = Instant::now();
        let began = end.checked_sub(took).unwrap_or(end);
        seen.span = Some(seen.span.map_or((began, end), |(first, last)| (first.min(began), last.max(end))));
        seen.tasks += 1;
        if seen.tasks == PARTITIONS {
            self.shutdown.request();
        }
    }
}

/// Arguments: bootstrap, state directory, workers. Prints one line of what it measured.
///
/// # Errors
/// In words: what is missing, or why the process could not run.
pub fn run_once(arguments: &[String]) -> Result<(), String> {
    let [bootstrap, state, workers] = arguments else { return Err("restore-once BOOTSTRAP STATE WORKERS".into()) };
    let workers = workers.parse().map_err(|error| format!("workers: {error}"))?;
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let describe = |t: &mut Topology| t.input::<String, String>(INPUT).count(STORE).to("restore-totals");
    let blueprint = Blueprint::of(APP, describe).map_err(|error| text(&error))?;
    let log = KafkaLog::connect(KafkaConfig::new(bootstrap.as_str())).map_err(|error| text(&error))?;
    let stores = RocksStores::open(&PathBuf::from(state), APP, StoreOptions::default()).map_err(|error| text(&error))?;
    let stopwatch = Arc::new(Stopwatch::default());
    let observer: Arc<dyn Observer> = Arc::<Stopwatch>::clone(&stopwatch);
    let world = World { log: Arc::new(log), stores: Arc::new(stores), observer };
    let options = RunOptions { workers, ..RunOptions::default() };
    let began = Instant::now();
    let process = Process::prepare(&blueprint, world, options).map_err(|error| text(&error))?;
    process.run(&stopwatch.shutdown).map_err(|error| text(&error))?;
    let seen = stopwatch.seen.lock().unwrap_or_else(PoisonError::into_inner);
    let (first, last) = seen.span.ok_or("no task was restored")?;
    println!(
        "restored={} seconds={:.3} from_start_seconds={:.3} cpu_seconds={:.2} peak_rss_mib={}",
        seen.records,
        (last - first).as_secs_f64(),
        (last - began).as_secs_f64(),
        cpu_seconds(),
        peak_rss_mib(),
    );
    Ok(())
}

/// User and system time of this process, in seconds; 0 where Linux does not tell.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name in parentheses; times are the 12th and 13th of what follows, in hundredths.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// The largest resident size of this process; 0 where Linux does not tell.
fn peak_rss_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
}
