//! `make chaos`: a cluster, the ledger application, and whatever can happen to them, for some minutes.
//!
//! Read from the environment: `MINUTES` (5), `SEED` (a new one), `RATE` (transfers per second), `PROTOCOL` (`auto`, `consumer` or `classic`),
//! `STATIC`
//! (how many of the processes are static members), `SHORT` (set: one broker, few actions), `SETTINGS` (further `key=value` for every process, separated by blanks).

use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use headwater_tests::chaos::{self, Options};

fn main() -> ExitCode {
    let Some(ledger) = beside_us("ledger") else {
        eprintln!("chaos: the binary `ledger` is not beside this one: run `make chaos`, which builds both");
        return ExitCode::FAILURE;
    };
    // A new hasher is seeded by the system: as good a seed as any, and short enough to be typed again.
    let seed = number("SEED").unwrap_or_else(|| RandomState::new().hash_one(0) % 1_000_000);
    let duration = Duration::from_secs_f64(setting("MINUTES").and_then(|text| text.parse().ok()).unwrap_or(5.0) * 60.0);
    let short = setting("SHORT").is_some();
    let mut options = if short { Options::short(ledger, seed, duration) } else { Options::full(ledger, seed, duration) };
    options.size.rate = number("RATE").unwrap_or(options.size.rate);
    options.size.static_members = number("STATIC").map_or(options.size.static_members, |number| number as usize);
    options.settings.extend(setting("PROTOCOL").map(|protocol| format!("kafka.group_protocol={protocol}")));
    options.settings.extend(setting("SETTINGS").iter().flat_map(|text| text.split_whitespace()).map(str::to_owned));
    println!("seed {seed}, {:.1} minutes, {:?}", duration.as_secs_f64() / 60.0, options.size);
    let outcome = chaos::run(&options);
    println!("seed {seed}:\n{outcome}");
    if outcome.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn beside_us(name: &str) -> Option<PathBuf> {
    let path = std::env::current_exe().ok()?.with_file_name(name);
    path.exists().then_some(path)
}

fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

fn number(name: &str) -> Option<u64> {
    setting(name).and_then(|text| text.parse().ok())
}
