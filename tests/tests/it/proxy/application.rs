use std::time::{Duration, Instant};

use headwater_tests::proxy::{Api, Fault, ProxiedBroker, Rule};
use headwater_tests::{AppProcess, BrokerOptions, until};

use crate::ledger::{LONG, Ledger, PROCESSING};

const PARTITIONS: i32 = 4;
/// The `client.id` of the application's clients: faults happen to them, not to the test's own.
const APP: &str = "kafka.rdkafka.client.id=app";
/// Back soon after each cut, so that there are many of them.
const EAGER: &str = "kafka.rdkafka.reconnect.backoff.max.ms=200";

fn stage(seed: u64) -> (ProxiedBroker, Ledger) {
    let broker = ProxiedBroker::start(seed, &BrokerOptions::default());
    let ledger = Ledger::new(broker.log("test"), broker.bootstrap(), PARTITIONS);
    (broker, ledger)
}

fn wait_for_all_tasks(app: &AppProcess) {
    // Two sub-topologies.
    (0..2 * PARTITIONS).for_each(|_| drop(app.wait_for(PROCESSING, LONG)));
}

/// Replies of the transaction's requests are lost at random after they took effect, others too, while processes join and leave, which
/// makes transactions abort.
#[test]
fn lost_replies_under_load_leave_every_result_exactly_once() {
    const TRANSFERS: u64 = 24_000;
    let (broker, ledger) = stage(7);
    let proxy = broker.proxy();
    let lost = |many: u64, api: Api| proxy.add(Rule::one_in(many, api, Fault::LoseReply).of("app"));
    // Nothing goes on without a registered producer: both workers meet it.
    proxy.add(Rule::times(4, Api::INIT_PRODUCER_ID, Fault::LoseReply).of("app"));
    let mut app = ledger.start("one", &[APP, EAGER, "run.workers=2"]);
    wait_for_all_tasks(&app);
    assert_eq!(proxy.count(Api::INIT_PRODUCER_ID), 4);

    proxy.add(Rule::one_in(12, Api::END_TXN, Fault::LoseRequest).of("app").that_commits(true));
    proxy.add(Rule::one_in(2, Api::END_TXN, Fault::LoseReply).of("app").that_commits(false));
    for (many, apis) in [
        (5, &[Api::END_TXN, Api::TXN_OFFSET_COMMIT][..]),
        (10, &[Api::ADD_OFFSETS_TO_TXN, Api::ADD_PARTITIONS_TO_TXN, Api::INIT_PRODUCER_ID]),
        (20, &[Api::PRODUCE, Api::CONSUMER_GROUP_HEARTBEAT, Api::FIND_COORDINATOR, Api::METADATA]),
        (50, &[Api::FETCH, Api::LIST_OFFSETS, Api::OFFSET_FETCH]),
    ] {
        apis.iter().for_each(|api| lost(many, *api));
    }
    std::thread::scope(|scope| {
        let load = scope.spawn(|| ledger.load(1, TRANSFERS, Some(2_000)));
        while !load.is_finished() {
            let other = ledger.start("two", &[APP, EAGER]);
            other.wait_for(PROCESSING, LONG);
            other.stop(LONG);
        }
    });
    ledger.wait_until_consumed(&mut [&mut app]);
    println!("{:?}", proxy.counts());
    proxy.clear();
    for api in [Api::END_TXN, Api::TXN_OFFSET_COMMIT, Api::PRODUCE] {
        assert!(proxy.count(api) >= 5, "{api} was hardly disturbed: {:?}", proxy.counts());
    }
    app.stop(LONG);
    ledger.check(TRANSFERS);
}

/// Longer than transactions may stay open (10 s): the broker aborts what is open when the application comes back.
#[test]
fn a_broker_that_is_away_for_15_s_ends_no_process_and_loses_nothing() {
    const TRANSFERS: u64 = 8_000;
    const AWAY: Duration = Duration::from_secs(15);
    let (broker, ledger) = stage(1);
    let mut app = ledger.start("one", &[APP, "run.workers=2"]);
    wait_for_all_tasks(&app);
    std::thread::scope(|scope| {
        scope.spawn(|| ledger.load(1, TRANSFERS, Some(2_000)));
        let mut reader = crate::kafka::support::reader(&ledger.log, true);
        let balances = headwater::TopicPartition::new(ledger::BALANCES, 0);
        until("the first results", LONG, || reader.ends(std::slice::from_ref(&balances)).ok().filter(|ends| ends[0].end > 0));
        broker.proxy().refuse(true);
        let began = Instant::now();
        until("the broker's return", LONG, || {
            assert!(app.is_running(), "{}", app.log());
            (began.elapsed() >= AWAY).then_some(())
        });
        broker.proxy().refuse(false);
    });
    ledger.wait_until_consumed(&mut [&mut app]);
    app.stop(LONG);
    ledger.check(TRANSFERS);
}
