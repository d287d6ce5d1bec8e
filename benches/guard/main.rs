//! What a fixed run of each workload does, counted: allocations, reads and writes of stores, records sent, commits. These do not depend on the machine,
//! so what is committed in `counts.json` is compared with them exactly. `make bench-guard`; with `UPDATE=1` the file is written anew.
//!
//! One process on the caller's thread, the log in memory, state in RocksDB. Allocations are those of that thread: the engine's, the codecs', and those of
//! the log in memory, which are the same every time.

#[path = "../app/topology.rs"]
mod topology;

mod counting_log;
mod counting_stores;
mod counts;
mod run;

use std::fs;
use std::process::ExitCode;

use counts::Counts;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/guard/counts.json");

fn main() -> ExitCode {
    match guard(std::env::var("UPDATE").is_ok_and(|update| update == "1")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("guard: {error}");
            ExitCode::FAILURE
        }
    }
}

fn guard(update: bool) -> Result<(), String> {
    let found = run::all();
    println!("{}", found.table());
    if update {
        fs::write(FILE, found.to_json()).map_err(|error| format!("{FILE}: {error}"))?;
        println!("written to {FILE}");
        return Ok(());
    }
    let text = fs::read_to_string(FILE).map_err(|error| format!("{FILE}: {error}"))?;
    let committed = Counts::from_json(&text).map_err(|error| format!("{FILE}: {error}"))?;
    let differences = committed.differences(&found);
    if differences.is_empty() {
        println!("as many as in {FILE}");
        return Ok(());
    }
    Err(format!(
        "these are not as committed; if they are meant to be, `make bench-guard UPDATE=1` and say why in the commit:\n  {}",
        differences.join("\n  ")
    ))
}
