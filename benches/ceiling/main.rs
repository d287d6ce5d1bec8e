//! The ceiling of the macro bench: what librdkafka and RocksDB can do on this machine when nothing stands between them. Each worker is one loop with one
//! consumer, one producer and a database per partition: read, decode, compute, write the changelog and the result, commit every 100 ms.
//!
//! It is no framework: partitions are assigned by hand, there is no event time, no rebalance, no restore, no recovery; the first error ends it. It
//! ends by itself when what the input held at its start, or was announced for it, is processed and committed.

mod client;
mod instance;
mod messages;
mod native;
mod state;
mod step;

use std::process::ExitCode;
use std::thread;

use headwater_benches::{Job, PLAIN};
use instance::Counts;

fn main() -> ExitCode {
    let in_place = std::env::args().nth(1).is_none_or(|word| word != PLAIN);
    match Job::from_environment().and_then(|job| run(&job, in_place)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("macro-ceiling: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(job: &Job, in_place: bool) -> Result<(), String> {
    std::fs::create_dir_all(&job.state).map_err(|error| format!("{}: {error}", job.state.display()))?;
    let counts = Counts::default();
    let results: Vec<Result<(), String>> = thread::scope(|scope| {
        let counts = &counts;
        let workers: Vec<_> =
            (0..job.workers).map(|worker| scope.spawn(move || instance::run(job, worker, in_place, counts))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err("a worker panicked".to_owned()))).collect()
    });
    results.into_iter().collect()
}
