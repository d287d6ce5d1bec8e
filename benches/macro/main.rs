//! Whole applications on a real broker: Headwater, Kafka Streams and a bare loop on librdkafka and RocksDB (the ceiling) compute the same from the same
//! topic, one after the other, each in a process of its own, and every result is checked. docs/performance.md says how it is measured.
//!
//! `make bench-macro`, or `cargo bench --profile release -p headwater-benches --bench macro -- W6 W2 latency beside restart`; knobs are environment variables:
//! `RECORDS` (2,000,000), `KEYS` (100,000), `SKEW` (0), `PARTITIONS` (4), `WORKERS`, `PROCESSES`, `GUARANTEE`, `ROUNDS` (3), `ONLY` (`headwater,streams,ceiling,plain`),
//! `MEMORY` (1024 MiB), `COMPRESSION` and `LINGER` (each contender's own), `COMMIT` (100 ms), `LATENCY` (`W2,W1`), `RATE` (20,000), `SECONDS` (30),
//! `BESIDE_RATE` (5,000), `STEADY` (1,000), `LIMIT` (seconds for one run), `RESULTS` (a file for the lines of JSON), `LOGS` (a directory that keeps the
//! contenders' logs), `LOG` (Headwater's filter, `warn`).

mod bench;
mod check;
mod child;
mod contender;
mod live;
mod peer;
mod procfs;
mod progress;
mod report;
mod restore;
mod run;
mod settings;
mod stage;

use std::process::ExitCode;

use bench::Bench;
use headwater_benches::Workload;
use peer::Peer;
use report::Origin;
use settings::Settings;
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
    let origin = Origin::find();
    let restored = !settings.workloads.contains(&Workload::W5) || restore::run(settings, &origin)?;
    let is_any_other = settings.workloads.iter().any(|workload| *workload != Workload::W5);
    if !is_any_other && settings.latency.is_empty() && !settings.beside && !settings.restart {
        return Ok(restored);
    }
    let stage = Stage::open(settings.partitions, &settings.broker_jvm).map_err(|error| format!("the broker: {error}"))?;
    let peer = Peer::compile(&stage.guardian)?;
    if is_any_other {
        stage.load_input(&settings.data).map_err(|error| format!("loading the input: {error}"))?;
    }
    if settings.workloads.contains(&Workload::W4) {
        stage.load_table(&settings.data).map_err(|error| format!("loading the table: {error}"))?;
    }
    stage.warm_up().map_err(|error| format!("the first transaction: {error}"))?;
    let bench = Bench { stage, settings, peer, origin };
    Ok(restored & bench.throughput()? & bench.latency()? & bench.beside()? & bench.restart()?)
}
