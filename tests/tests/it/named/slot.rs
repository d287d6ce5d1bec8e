//! A worker slot is a transactional id: whoever has it ends what its predecessor left open, and fences the predecessor.

use std::fs;
use std::path::Path;

use headwater::TopicPartition;
use headwater::port::Log;
use headwater_tests::{AppProcess, BrokerOptions, KafkaBroker, until};

use crate::kafka::support::{TICK, reader};
use crate::ledger::{LONG, Ledger, PROCESSING};

const TRANSFERS: u64 = 3_000;

/// One partition: one transaction has it all.
fn balances() -> [TopicPartition; 1] {
    [TopicPartition::new(ledger::BALANCES, 0)]
}

/// Waits until there are results that are not committed, and answers the log's end.
fn open_transaction(log: &dyn Log) -> i64 {
    let config = |read_uncommitted| headwater::port::ReaderConfig { group: "looking".into(), read_uncommitted };
    let mut reader = log.reader(&config(false)).expect("a reader");
    until("an open transaction", LONG, || {
        let end = reader.ends(&balances()).ok()?[0].end;
        reader.assign(&[(balances()[0].clone(), 0)]).expect("it can be read");
        let stable = until("the last stable offset", LONG, || {
            let batches = reader.poll(100_000, TICK).expect("it can be read");
            batches.iter().find(|batch| batch.at_end).map(|batch| batch.position)
        });
        (stable < end).then_some(end)
    })
}

/// The broker never aborts a transaction by its timeout here: what was open is ended by the slot's return, or never.
#[test]
fn a_returning_slot_aborts_what_it_left_open() {
    let never = ("transaction.abort.timed.out.transaction.cleanup.interval.ms", 3_600_000.to_string());
    let broker = KafkaBroker::start_with(&BrokerOptions { properties: vec![never], ..BrokerOptions::default() });
    let ledger = Ledger::new(broker.log(), broker.bootstrap(), 1);
    // It commits so seldom that it is killed before it has.
    let mut app = ledger.start("state", &["run.commit_interval=1h"]);
    app.wait_for(PROCESSING, LONG);
    ledger.load(1, TRANSFERS, None);
    let end = open_transaction(&ledger.log);
    app.kill();
    let _ = app.wait(LONG);
    assert!(reader(&ledger.log, true).ends(&balances()).unwrap()[0].end >= end, "nobody has ended it");

    let mut app = ledger.start("state", &[]);
    ledger.wait_until_consumed(&mut [&mut app]);
    app.stop(LONG);
    ledger.check(TRANSFERS);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("creating a directory");
    for entry in fs::read_dir(from).expect("reading a directory").map(|entry| entry.expect("an entry")) {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        match path.is_dir() {
            true => copy(&path, &target),
            false => assert!(fs::copy(&path, &target).is_ok(), "copying {}", path.display()),
        }
    }
}

fn wait_for_fencing(apps: [&AppProcess; 2]) {
    until("one of them to be fenced", LONG, || {
        // Its own word for it, in the reason for an aborted transaction.
        apps.iter()
            .any(|app| app.log().lines().any(|line| line.contains("transaction aborted") && line.contains("fenced")))
            .then_some(())
    });
}

/// A state directory was copied, and both copies run: the same transactional ids in two processes. They fence each other, say so, and
/// drop what they had; what is committed stays right, and when one of them ends the other goes on.
#[test]
fn a_stolen_slot_is_fenced_and_says_so() {
    let broker = KafkaBroker::start();
    let ledger = Ledger::new(broker.log(), broker.bootstrap(), 2);
    let app = ledger.start("state", &[]);
    app.wait_for(PROCESSING, LONG);
    ledger.load(1, TRANSFERS, None);
    app.stop(LONG);
    copy(&ledger.state("state"), &ledger.state("copy"));

    let mut original = ledger.start("state", &[]);
    original.wait_for(PROCESSING, LONG);
    let mut thief = ledger.start("copy", &[]);
    std::thread::scope(|scope| {
        scope.spawn(|| ledger.load(2, TRANSFERS, Some(1_000)));
        wait_for_fencing([&original, &thief]);
    });
    assert!(original.is_running() && thief.is_running(), "neither of them ends because of it");
    thief.stop(LONG);
    ledger.wait_until_consumed(&mut [&mut original]);
    original.stop(LONG);
    ledger.check(2 * TRANSFERS);
}
