//! Short forms of `make prove-backfill` and `make prove-handover`: ranges computed again, and generations that take over, with kills.

use headwater_tests::binary;
use headwater_tests::proofs::{backfill, handover};

#[test]
fn june_by_two_processes_is_what_the_live_run_wrote() {
    let options = backfill::Options { seed: 1, kills: 2, processes: vec![2], whole_year: false };
    assert!(backfill::run(&binary("flights"), &options).are_good(), "see above");
}

#[test]
fn generations_take_over_from_each_other_while_records_keep_coming() {
    // By this seed nobody is killed first, then a process of the old side, then one of the new.
    let options = handover::Options { repetitions: 3, seed: 11, accounts: 2_000, rate: 1_000, judges_pauses: false };
    assert!(handover::run(&binary("ledger"), &options).are_good(), "see above");
}
