use headwater_tests::KafkaBroker;

use crate::ledger::{LONG, Ledger, PROCESSING};

/// The second one says so and ends; the first one goes on as if nothing had been.
#[test]
fn two_processes_on_one_state_directory() {
    const TRANSFERS: u64 = 2_000;
    let broker = KafkaBroker::start();
    let ledger = Ledger::new(broker.log(), broker.bootstrap(), 2);
    let mut first = ledger.start("shared", &[]);
    first.wait_for(PROCESSING, LONG);

    let mut second = ledger.start("shared", &[]);
    assert_eq!(second.wait(LONG).code(), Some(1));
    let (log, directory) = (second.log(), ledger.state("shared"));
    assert!(log.contains("HW0009") && log.contains(&directory.display().to_string()), "{log}");

    ledger.load(1, TRANSFERS, None);
    ledger.wait_until_consumed(&mut [&mut first]);
    let log = first.stop(LONG);
    assert!(!log.contains("transaction aborted") && !log.contains("ERROR"), "{log}");
    ledger.check(TRANSFERS);
}
