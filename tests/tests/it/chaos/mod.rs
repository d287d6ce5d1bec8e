//! The short form of `make chaos`: one broker, two processes and some that come and go, a minute long.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use headwater_tests::chaos::{self, Options};

/// Long enough for some twenty kills and stops; the order of the actions is this seed's.
const DURATION: Duration = Duration::from_secs(60);
const SEED: u64 = 1;

#[test]
fn kills_stops_and_rebalances_leave_every_result_exactly_once() {
    let outcome = chaos::run(&Options::short(ledger(), SEED, DURATION));
    println!("{outcome}");
    assert!(outcome.is_good(), "seed {SEED}:\n{outcome}");
}

/// The application's binary, built from the sources as they are now, in the profile of the running test.
fn ledger() -> PathBuf {
    let test = std::env::current_exe().expect("a running program has a path");
    // .../<profile>/deps/it-<hash>
    let profile = test.parent().and_then(|deps| deps.parent()).expect("cargo puts tests into <profile>/deps");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "-p", "ledger"]);
    if profile.ends_with("release") {
        build.arg("--release");
    }
    let output = build.output().expect("cargo, which runs this test, can be run");
    assert!(output.status.success(), "ledger does not build:\n{}", String::from_utf8_lossy(&output.stderr));
    profile.join("ledger")
}
