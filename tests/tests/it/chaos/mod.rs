//! The short form of `make chaos`: one broker, two processes and some that come and go, a minute long.

use std::time::Duration;

use headwater_tests::binary;
use headwater_tests::chaos::{self, Options};

/// Long enough for some twenty kills and stops; the order of the actions is this seed's.
const DURATION: Duration = Duration::from_secs(60);
const SEED: u64 = 1;

#[test]
fn kills_stops_and_rebalances_leave_every_result_exactly_once() {
    let outcome = chaos::run(&Options::short(binary("ledger"), SEED, DURATION));
    println!("{outcome}");
    assert!(outcome.is_good(), "seed {SEED}:\n{outcome}");
}
