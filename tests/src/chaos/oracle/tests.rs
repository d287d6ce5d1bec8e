use headwater_core::{Timestamp, TopicPartition};
use ledger::{Balance, BranchTotal, Transfer};

use super::*;

const MINUTE: i64 = 1_700_000_040_000;

/// Two transfers of one account, 10 and -3, and one that is too late for its minute.
fn expected() -> Expected {
    let mut expected = Expected::default();
    for (amount, after) in [(10, 0), (-3, 95_000), (5, 1_000)] {
        let at = MINUTE + after;
        let transfer = Transfer { id: 0, account: "01-1".into(), amount, at };
        expected.add(0, Timestamp::from_millis(at), &transfer);
    }
    expected
}

fn check(balances: &[(u64, i64)], branches: &[(i64, u64, i64)], differences: &[&str]) {
    let expected = expected();
    assert_eq!((expected.transfers(), expected.late()), (3, 1));
    let mut check = Check::new(&expected);
    for (offset, (seq, sum)) in (0..).zip(balances) {
        let balance = Balance { account: "01-1".into(), seq: *seq, sum: *sum };
        check.balance(&TopicPartition::new("balances", 0), offset, &balance);
    }
    for (offset, (start, seq, sum)) in (0..).zip(branches) {
        let total = BranchTotal { branch: "01".into(), window_start: MINUTE + start, seq: *seq, sum: *sum };
        check.branch(&TopicPartition::new("branches", 0), offset, &total);
    }
    assert_eq!(check.finish(), differences);
}

const GOOD_BALANCES: [(u64, i64); 3] = [(1, 10), (2, 7), (3, 12)];
const GOOD_BRANCHES: [(i64, u64, i64); 2] = [(0, 1, 10), (60_000, 1, -3)];

#[test]
fn what_is_right_is_right() {
    check(&GOOD_BALANCES, &GOOD_BRANCHES, &[]);
}

#[test]
fn a_gap_a_repetition_and_a_wrong_sum_are_seen() {
    check(&[(1, 10), (3, 12)], &GOOD_BRANCHES, &["balances-0@1: account 01-1: seq 3 comes after 1"]);
    check(&[(1, 10), (2, 7), (2, 7), (3, 12)], &GOOD_BRANCHES, &["balances-0@2: account 01-1: seq 2 comes after 2"]);
    check(&[(1, 10), (2, 8), (3, 12)], &GOOD_BRANCHES, &["balances-0@1: account 01-1: sum 8 at seq 2, expected: 7"]);
}

#[test]
fn what_is_missing_at_the_end_is_seen() {
    check(&GOOD_BALANCES[..2], &GOOD_BRANCHES, &["account 01-1: ends with seq 2, expected: 3"]);
    check(&GOOD_BALANCES, &GOOD_BRANCHES[..1], &["branch 01 at 1700000100000: ends with seq 0 and sum 0, expected: 1 and -3"]);
}

#[test]
fn a_late_transfer_that_was_counted_is_seen() {
    check(
        &GOOD_BALANCES,
        &[(0, 1, 10), (60_000, 1, -3), (0, 2, 15)],
        &["branch 01 at 1700000040000: ends with seq 2 and sum 15, expected: 1 and 10"],
    );
}
