use std::process::Command;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use headwater_core::port::{Log, LogError, ProducerConfig};
use headwater_kafka::KafkaLog;
use headwater_tests::{KafkaBroker, until};

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

/// The broker is away for longer than a transaction may live: the producer gives up on the outcome, and a successor settles it.
#[test]
fn a_commit_that_outlives_its_transaction_is_settled_by_a_successor() {
    let broker = KafkaBroker::start();
    let mut config = broker.config();
    config.transaction_timeout = Duration::from_secs(2);
    let log = KafkaLog::new(config).unwrap();
    let topic = new_topic(&log, "outlived", 1);
    let (_member, metadata) = joined(&log, "outlived", &[&topic]);
    let mut producer = transactional(&log, "outlived");
    producer.begin().unwrap();
    send(producer.as_mut(), &topic, 0, &["a"]);
    producer.flush().unwrap();
    signal(&broker, "-STOP");
    let error = producer.commit(&[], &metadata).unwrap_err();
    assert!(matches!(error, LogError::Unusable(_)), "{error:?}");
    drop(producer);

    // Registering is tried for as long as the broker is away, and never the end.
    let mut successor = log.producer(&ProducerConfig { transactional_id: Some("outlived".into()) }).unwrap();
    let error = successor.init().unwrap_err();
    assert!(matches!(error, LogError::Retriable(_)), "{error:?}");
    signal(&broker, "-CONT");
    until("the registration", PATIENCE, || match successor.init() {
        Ok(()) => Some(()),
        Err(LogError::Retriable(_)) => None,
        Err(error) => panic!("{error:?}"),
    });
    // By now it is decided: all of it, or nothing. The log tells.
    let seen = everything(&log, &topic, false);
    assert!(seen.is_empty() || seen == ["a"], "{seen:?}");
    successor.begin().unwrap();
    send(successor.as_mut(), &topic, 0, &["b"]);
    successor.commit(&[], &metadata).unwrap();
    let after = everything(&log, &topic, false);
    assert_eq!(after, [seen, vec!["b".to_owned()]].concat());
}
