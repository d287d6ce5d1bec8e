use headwater_tests::{BrokerOptions, KafkaBroker, until};

use crate::ledger::{LONG, Ledger, PROCESSING};

/// SIGSTOP until the group has given everything to another process. What it had open when it stopped is dropped when it goes on.
#[test]
fn a_member_paused_beyond_its_session_is_fenced_and_rejoins() {
    const TRANSFERS: u64 = 15_000;
    const PARTITIONS: i32 = 2;
    let short = [("group.consumer.min.session.timeout.ms", "2000"), ("group.consumer.session.timeout.ms", "2000")];
    let properties = short.map(|(key, value)| (key, value.to_owned())).to_vec();
    let broker = KafkaBroker::start_with(&BrokerOptions { properties, ..BrokerOptions::default() });
    let ledger = Ledger::new(broker.log(), broker.bootstrap(), PARTITIONS);
    // A transaction stays open for long enough to be met.
    let mut paused = ledger.start("paused", &["run.commit_interval=2s"]);
    (0..2 * PARTITIONS).for_each(|_| drop(paused.wait_for(PROCESSING, LONG)));
    std::thread::scope(|scope| {
        let load = scope.spawn(|| ledger.load(1, TRANSFERS, Some(1_500)));
        let mut heir = ledger.start("heir", &[]);
        heir.wait_for(PROCESSING, LONG);
        paused.signal("STOP");
        until("the heir has everything", LONG, || {
            assert!(heir.is_running(), "{}", heir.log());
            let taken = heir.log().lines().filter(|line| line.contains(PROCESSING)).count();
            (taken >= 2 * PARTITIONS as usize).then_some(())
        });
        let before = paused.lines().len();
        paused.signal("CONT");
        let since = |text: &str| paused.lines()[before..].iter().any(|(_, line)| line.contains(text));
        // It says why it drops what it had open, gives its tasks up, and gets its share again: it is a member.
        until("it says so", LONG, || (since("transaction aborted") || since("put this member out")).then_some(()));
        until("it gives up its tasks", LONG, || since("task closed").then_some(()));
        until("it is a member again", LONG, || since(PROCESSING).then_some(()));
        load.join().expect("the load does not panic");
        ledger.wait_until_consumed(&mut [&mut paused, &mut heir]);
        heir.stop(LONG);
    });
    paused.stop(LONG);
    ledger.check(TRANSFERS);
}
