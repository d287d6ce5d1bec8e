use headwater::{TestDriver, Timestamp, Windowed};

use super::*;
use crate::{Balance, BranchTotal, Transfers};

/// Any full minute.
const MINUTE: i64 = 1_700_000_040_000;

fn send(driver: &mut TestDriver, account: &str, amount: i64, after_seconds: i64) {
    let at = MINUTE + after_seconds * 1000;
    let transfer = Transfer { id: 0, account: account.into(), amount, at };
    driver.send(TRANSFERS, &transfer.account, &transfer, Timestamp::from_millis(at));
}

fn balances(driver: &mut TestDriver) -> Vec<(String, u64, i64)> {
    let read = driver.read::<String, Balance>(BALANCES);
    read.into_iter().map(|out| (out.value.account, out.value.seq, out.value.sum)).collect()
}

fn branches(driver: &mut TestDriver) -> Vec<(String, i64, u64, i64)> {
    let read = driver.read::<Windowed<String>, BranchTotal>(BRANCHES);
    read.into_iter().map(|out| (out.value.branch, out.value.window_start - MINUTE, out.value.seq, out.value.sum)).collect()
}

#[test]
fn every_transfer_gives_the_next_balance_of_its_account() {
    let mut driver = TestDriver::new(NAME, topology);
    send(&mut driver, "01-1", 10, 0);
    send(&mut driver, "01-2", 1, 1);
    driver.restart_without_disk();
    send(&mut driver, "01-1", -3, 2);
    assert_eq!(balances(&mut driver), [("01-1".into(), 1, 10), ("01-2".into(), 1, 1), ("01-1".into(), 2, 7)]);
    assert_eq!(branches(&mut driver), [("01".into(), 0, 1, 10), ("01".into(), 0, 2, 11), ("01".into(), 0, 3, 8)]);
}

#[test]
fn a_minute_closes_after_its_grace_and_takes_nothing_then() {
    let mut driver = TestDriver::new(NAME, topology);
    send(&mut driver, "01-1", 1, 0);
    // 5 s out of order and 30 s of grace after the minute's end: 94 s keeps it open, 95 s closes it.
    send(&mut driver, "01-1", 2, 94);
    send(&mut driver, "01-1", 4, 10);
    send(&mut driver, "01-1", 8, 95);
    send(&mut driver, "01-1", 16, 10);
    let minute = 60_000;
    assert_eq!(
        branches(&mut driver),
        [("01".into(), 0, 1, 1), ("01".into(), minute, 1, 2), ("01".into(), 0, 2, 5), ("01".into(), minute, 2, 10)]
    );
    assert_eq!(balances(&mut driver).last(), Some(&("01-1".into(), 5, 31)));
    let dropped = driver.dropped();
    assert_eq!(dropped.iter().map(|(_, reason, count)| (*reason, *count)).collect::<Vec<_>>(), [("late", 1)]);
}

#[test]
fn partitions_and_restarts_do_not_change_the_last_values() {
    let last = |partitions: i32, restart_every: usize| {
        let mut driver = TestDriver::with_partitions(NAME, partitions, topology);
        for (number, transfer) in Transfers::new(3, 20).take(300).enumerate() {
            driver.send(TRANSFERS, &transfer.account, &transfer, Timestamp::from_millis(transfer.at));
            if number % restart_every == 0 {
                driver.restart();
            }
        }
        let mut balances = balances(&mut driver);
        // By account and sequence number: partitions come one after the other.
        balances.sort();
        balances
    };
    assert_eq!(last(1, 1000), last(3, 50));
}
