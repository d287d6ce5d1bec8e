use std::process::Command;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use headwater_tests::KafkaBroker;

use super::support::*;

fn signal(broker: &KafkaBroker, signal: &str) {
    assert!(Command::new("kill").args([signal, &broker.pid().to_string()]).status().unwrap().success());
}

/// The broker does not answer a commit for longer than one try of it: the commit's outcome is waited for, not guessed.
#[test]
fn a_commit_waits_for_its_outcome() {
    let broker = KafkaBroker::start();
    let log = broker.log();
    let topic = new_topic(&log, "outage", 1);
    let (_member, metadata) = joined(&log, "outage", &[&topic]);
    let mut producer = transactional(&log, "outage");
    producer.begin().unwrap();
    send(producer.as_mut(), &topic, 0, &["a"]);
    producer.flush().unwrap();

    let (done, outcome) = channel();
    signal(&broker, "-STOP");
    let committer = thread::spawn(move || {
        done.send(producer.commit(&[], &metadata)).unwrap();
        producer
    });
    // 6 s are longer than a try (5 s) and shorter than the transaction may live (10 s).
    assert_eq!(outcome.recv_timeout(Duration::from_secs(6)).err(), Some(RecvTimeoutError::Timeout));
    signal(&broker, "-CONT");
    outcome.recv_timeout(PATIENCE).unwrap().unwrap();
    let mut producer = committer.join().unwrap();
    assert_eq!(everything(&log, &topic, false), ["a"]);

    // And it goes on.
    producer.begin().unwrap();
    send(producer.as_mut(), &topic, 0, &["b"]);
    producer.flush().unwrap();
    producer.abort().unwrap();
    assert_eq!(everything(&log, &topic, false), ["a"]);
}
