//! Whole applications on a real broker: Headwater, Kafka Streams and a bare loop on librdkafka and RocksDB (the ceiling) compute the same from the same
//! topic, one after the other, each in a process of its own, and every result is checked. docs/performance.md says how it is measured.
//!
//! `make bench-macro`, or `cargo bench --profile release -p headwater-benches --bench macro -- W6 W2`; knobs are environment variables: `RECORDS`
//! (2,000,000), `KEYS` (100,000), `SKEW` (0), `PARTITIONS` (4), `WORKERS`, `GUARANTEE`, `ROUNDS` (3), `ONLY` (`headwater,streams,ceiling`), `MEMORY`
//! (1024 MiB), `COMPRESSION` (each contender's own), `LIMIT` (seconds for one run), `RESULTS` (a file for the lines of JSON), `LOGS` (a directory that keeps the contenders' logs), `LOG`
//! (Headwater's filter, `warn`).

mod check;
mod child;
mod contender;
mod peer;
mod procfs;
mod progress;
mod report;
mod restore;
mod run;
mod settings;
mod stage;

use std::process::ExitCode;

use headwater_benches::Workload;
use peer::Peer;
use report::{Entry, Origin};
use settings::{Settings, Variant};
use stage::Stage;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        // A process of the restore's proof: it starts this program again.
        Some((first, rest)) if first == restore::ONCE => restore::once(rest).map(|()| true),
        _ => Settings::read(arguments.into_iter()).and_then(|settings| bench(&settings)),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("macro: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all went well.
fn bench(settings: &Settings) -> Result<bool, String> {
    let is_restore = |workload: &&Workload| **workload == Workload::W5;
    let restored = settings.workloads.iter().find(is_restore).is_none_or(|_| restore::run(settings));
    if settings.workloads.iter().all(|workload| *workload == Workload::W5) {
        return Ok(restored);
    }
    let stage = Stage::open(settings.partitions).map_err(|error| format!("the broker: {error}"))?;
    let peer = Peer::compile(&stage.guardian)?;
    stage.load_input(&settings.data).map_err(|error| format!("loading the input: {error}"))?;
    if settings.workloads.contains(&Workload::W4) {
        stage.load_table(&settings.data).map_err(|error| format!("loading the table: {error}"))?;
    }
    stage.warm_up().map_err(|error| format!("the first transaction: {error}"))?;
    let origin = Origin::find();
    let mut entries = Vec::new();
    for (round, variant) in schedule(settings) {
        for contender in &settings.contenders {
            let number = entries.len() + 1;
            let result = run::run(&stage, settings, &peer, (variant, *contender, number));
            let entry = Entry { variant, contender: *contender, round, result };
            let (workload, guarantee, workers) = (variant.workload, variant.guarantee(), variant.workers);
            match &entry.result {
                Ok(measured) => eprintln!(
                    "{workload} {guarantee}, workers: {workers}, round {round}: {contender} {:.0} records/s, {:.1} s, all results right",
                    measured.records_per_second, measured.total_seconds
                ),
                Err(error) => {
                    eprintln!("FAILED: {workload} {guarantee}, workers: {workers}, round {round}: {contender}: {error}")
                }
            }
            entry.write(settings, &origin)?;
            entries.push(entry);
            if stage.is_up().is_err() {
                return Err("the broker has ended; what was measured before is in the lines above".to_owned());
            }
        }
    }
    println!("{}", report::table(settings, &origin, &entries));
    Ok(restored && entries.iter().all(|entry| entry.result.is_ok()))
}

/// Rounds, and in each all variants: what drifts on the machine meets everybody alike.
fn schedule(settings: &Settings) -> impl Iterator<Item = (usize, Variant)> {
    (1..=settings.rounds).flat_map(move |round| {
        let measured = settings.workloads.iter().filter(|workload| **workload != Workload::W5);
        measured.flat_map(|workload| settings.variants(*workload)).map(move |variant| (round, variant))
    })
}
