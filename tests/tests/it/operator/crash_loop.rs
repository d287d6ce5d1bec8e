//! An application that fails on the same record at every start.

use std::fs;
use std::time::Duration;

use headwater::port::{Log, NewTopic, ProducerConfig};
use headwater::{Outgoing, TopicName};
use headwater_tests::{AppProcess, KafkaBroker, binary, get, until};
use tempfile::TempDir;

use crate::kafka::support::record;

const SOON: Duration = Duration::from_secs(60);

#[test]
fn failures_in_a_row_are_remembered_and_waited_for() {
    let broker = KafkaBroker::shared();
    let log = broker.log();
    let topic = |name: &str| NewTopic { name: name.into(), partitions: 1, replication: None, config: Default::default() };
    log.admin().and_then(|mut admin| admin.create(&[topic("flights"), topic("airlines")])).expect("topics can be made");
    let flights: TopicName = "flights".into();
    let mut producer = log.producer(&ProducerConfig { transactional_id: None }).expect("a producer");
    let bad = Outgoing { key: Some(b"N1"), ..record(&flights, 0, "{oh") };
    producer.send(bad).and_then(|()| producer.flush()).expect("it can be written");

    let directory = TempDir::new().expect("a temporary directory");
    let state = directory.path().to_str().expect("a path in UTF-8").to_owned();
    let start = |more: &[&str]| {
        let mut arguments = vec!["run", "--state-dir", &state];
        arguments.extend(more);
        let bootstrap = broker.bootstrap();
        arguments.extend(["--bootstrap", &bootstrap]);
        AppProcess::start(&binary("flights"), &arguments)
    };
    let memory = directory.path().join("flights/failures.json");
    for failures in 1..=2 {
        let mut app = start(&["--admin", "off"]);
        assert_eq!(app.wait(SOON).code(), Some(1));
        let kept = fs::read_to_string(&memory).expect("failures are remembered");
        assert!(kept.contains(&format!("\"in_a_row\":{failures}")) && kept.contains("HW0007"), "{kept}");
    }
    // As if it had gone on for minutes; a time in the future is waited for in full.
    let text = r#"{"version":1,"in_a_row":9,"code":"HW0007","message":"offset 0","since_ms":1,"last_ms":9999999999999}"#;
    fs::write(&memory, text).expect("it can be written");
    let mut app = start(&["--admin", "127.0.0.1:0"]);
    let address = app.wait_for("admin pages at http://", SOON);
    let address = address.split('/').next().expect("an address");
    until("it says that it waits", SOON, || {
        let (status, body) = get(address, "/readyz");
        (status == 503 && body.contains("backing off after 9 failures: offset 0")).then_some(())
    });
    assert_eq!(get(address, "/healthz").0, 200);
    assert!(get(address, "/metrics").1.contains("headwater_failures_in_a_row{app=\"flights\"} 9"));
    app.terminate();
    assert!(app.wait(SOON).success(), "a stop ends the wait");

    // Switched off it does not wait; with the bad record gone the row ends.
    let mut app = start(&["--admin", "off", "--set", "run.crash_backoff=false"]);
    assert_eq!(app.wait(SOON).code(), Some(1));
    fs::write(&memory, r#"{"version":1,"in_a_row":9,"code":null,"message":"m","since_ms":1,"last_ms":1}"#)
        .expect("it can be written");
    log.admin()
        .and_then(|mut admin| admin.delete_records(&[(headwater::TopicPartition::new("flights", 0), 1)]))
        .expect("it goes");
    let airlines: TopicName = "airlines".into();
    let good = Outgoing { key: Some(b"UA"), ..record(&airlines, 0, r#"{"carrier":"UA","name":"United"}"#) };
    producer.send(good).and_then(|()| producer.flush()).expect("it can be written");
    let mut app = start(&["--admin", "off"]);
    until("progress is made", SOON, || {
        assert!(app.is_running(), "{}", app.log());
        (!memory.exists()).then_some(())
    });
    app.terminate();
    assert!(app.wait(SOON).success());
}
