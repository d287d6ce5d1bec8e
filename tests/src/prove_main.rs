//! `make prove-kills`, `make prove-rolling`, `make prove-restore`, `make prove-backfill`, `make prove-handover`: see docs/operating/proofs.md.
//!
//! Read from the environment: `SEED` (1), `KILLS` (200; 5 in each backfill), `ACCOUNTS` (550000 for kills, 100000 for rolling), `RATE` (2000 and 20000 transfers per
//! second), `KEYS` (5000000), `ROUNDS` (3), `WORKERS` (2), `PEER` (the source of Kafka Streams' side; empty: it is not run).

use std::path::PathBuf;
use std::process::ExitCode;

use headwater_tests::proofs::{Findings, backfill, handover, kills, restore, rolling};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let proven = match arguments.first().map(String::as_str) {
        Some("kills") => beside_us("ledger").map(|ledger| kills::run(&ledger, &kill_options()).are_good()),
        Some("rolling") => beside_us("ledger").map(|ledger| rolling::run(&ledger, &rolling_options()).are_good()),
        Some("backfill") => beside_us("flights").map(|flights| backfill::run(&flights, &backfill_options()).are_good()),
        Some("handover") => beside_us("ledger").map(|ledger| handover::run(&ledger, &handover_options()).are_good()),
        Some("restore") => std::env::current_exe()
            .map_err(|error| error.to_string())
            .map(|program| restore::run(&program, &restore_options(), |_| {}))
            .map(|findings: Findings| findings.are_good()),
        Some("restore-once") => restore::run_once(&arguments[1..]).map(|()| true),
        _ => Err("say what to prove: kills, rolling, restore, backfill or handover".into()),
    };
    match proven {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("prove: {error}");
            ExitCode::FAILURE
        }
    }
}

fn kill_options() -> kills::Options {
    kills::Options {
        kills: number("KILLS", 200),
        seed: number("SEED", 1),
        accounts: number("ACCOUNTS", 550_000),
        rate: number("RATE", 2_000),
    }
}

fn rolling_options() -> rolling::Options {
    rolling::Options { seed: number("SEED", 1), accounts: number("ACCOUNTS", 100_000), rate: number("RATE", 20_000) }
}

fn backfill_options() -> backfill::Options {
    backfill::Options { seed: number("SEED", 1), kills: number("KILLS", 5), processes: vec![1, 2, 4], whole_year: true }
}

fn handover_options() -> handover::Options {
    handover::Options {
        repetitions: number("REPETITIONS", 50),
        seed: number("SEED", 1),
        accounts: number("ACCOUNTS", 20_000),
        rate: number("RATE", 2_000),
        judges_pauses: true,
    }
}

fn restore_options() -> restore::Options {
    restore::Options {
        keys: number("KEYS", 5_000_000),
        rounds: number("ROUNDS", 3) as usize,
        workers: number("WORKERS", 2) as usize,
        peer: setting("PEER").map(PathBuf::from),
    }
}

fn beside_us(name: &str) -> Result<PathBuf, String> {
    let path = std::env::current_exe().map_err(|error| error.to_string())?.with_file_name(name);
    let missing = format!("the binary `{name}` is not beside this one: the make target builds both");
    path.exists().then_some(path).ok_or(missing)
}

fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

fn number(name: &str, otherwise: u64) -> u64 {
    setting(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}
