use std::time::Duration;

use headwater_core::port::{Committed, Log, LogError, Reader, ReaderConfig};
use headwater_kafka::GroupProtocol;
use headwater_tests::until;

use super::support::*;

/// How long a commit that nobody waits for may take.
const PATIENCE: Duration = Duration::from_secs(20);

fn group_reader(log: &headwater_kafka::KafkaLog, group: &str, read_uncommitted: bool) -> Box<dyn Reader> {
    log.reader(&ReaderConfig { group: group.into(), read_uncommitted }).unwrap()
}

fn offsets_travel_with_the_transaction(protocol: GroupProtocol) {
    let log = log_with(protocol);
    let topic = new_topic(&log, "offsets", 2);
    let group = unique("offsets");
    let (_member, metadata) = joined(&log, &group, &[&topic]);
    assert_eq!(&*metadata.group, group);
    let mut producer = transactional(&log, &unique("offsets"));
    let committed = |offset: i64, metadata: &str| Committed { offset, metadata: metadata.into() };
    let partitions = [p(&topic, 1), p(&topic, 0)];
    assert_eq!(group_reader(&log, &group, false).committed(&partitions).unwrap(), [None, None]);

    producer.begin().unwrap();
    send(producer.as_mut(), &topic, 0, &["a"]);
    producer.commit(&[(p(&topic, 0), committed(7, "watermark=12;idle")), (p(&topic, 1), committed(3, ""))], &metadata).unwrap();
    for read_uncommitted in [false, true] {
        let found = group_reader(&log, &group, read_uncommitted).committed(&partitions).unwrap();
        assert_eq!(found, [Some(committed(3, "")), Some(committed(7, "watermark=12;idle"))]);
    }

    // Offsets alone make a transaction too.
    producer.begin().unwrap();
    producer.commit(&[(p(&topic, 1), committed(4, "ø"))], &metadata).unwrap();
    let found = group_reader(&log, &group, false).committed(&partitions).unwrap();
    assert_eq!(found[0], Some(committed(4, "ø")));
}

#[test]
fn offsets_travel_with_the_transaction_consumer() {
    offsets_travel_with_the_transaction(GroupProtocol::Consumer);
}

#[test]
fn offsets_travel_with_the_transaction_classic() {
    offsets_travel_with_the_transaction(GroupProtocol::Classic);
}

fn commits_without_a_transaction(protocol: GroupProtocol) {
    let log = log_with(protocol);
    let topic = new_topic(&log, "plain", 1);
    let group = unique("plain");
    let (mut member, metadata) = joined(&log, &group, &[&topic]);
    let mut producer = plain_producer(&log);
    // All three do nothing.
    producer.init().unwrap();
    producer.begin().unwrap();
    producer.abort().unwrap();
    send(producer.as_mut(), &topic, 0, &["a"]);
    let offsets = [(p(&topic, 0), Committed { offset: 5, metadata: "five".into() })];
    producer.commit(&offsets, &metadata).unwrap();
    assert_eq!(everything(&log, &topic, false), ["a"]);
    assert_eq!(group_reader(&log, &group, false).committed(&[p(&topic, 0)]).unwrap(), [Some(offsets[0].1.clone())]);

    // Of a partition that is not (or no longer) the member's, nothing is committed.
    let error = producer.commit(&[(p(&topic, 9), offsets[0].1.clone())], &metadata).unwrap_err();
    assert!(matches!(&error, LogError::Fenced(text) if text.contains("plain") && text.contains("-9")), "{error:?}");
    member.leave().unwrap();
    assert!(member.metadata().is_none());
    let error = producer.commit(&offsets, &metadata).unwrap_err();
    assert!(matches!(error, LogError::Fenced(_)), "{error:?}");
}

#[test]
fn commits_without_a_transaction_consumer() {
    commits_without_a_transaction(GroupProtocol::Consumer);
}

#[test]
fn commits_without_a_transaction_classic() {
    commits_without_a_transaction(GroupProtocol::Classic);
}

fn commits_that_nobody_waits_for(protocol: GroupProtocol) {
    let log = log_with(protocol);
    let topic = new_topic(&log, "flying", 2);
    let group = unique("flying");
    let (mut member, metadata) = joined(&log, &group, &[&topic]);
    let mut producer = plain_producer(&log);
    assert!(producer.acknowledged().unwrap(), "nothing was sent");
    for offset in 1..4 {
        send(producer.as_mut(), &topic, 0, &["a", "b"]);
        producer.mark();
        // Behind the mark.
        send(producer.as_mut(), &topic, 1, &["c"]);
        until("what was sent is acknowledged", PATIENCE, || producer.acknowledged().unwrap().then_some(()));
        assert!(everything(&log, &topic, false).len() >= 2 * offset);
        let offsets = [(p(&topic, 0), Committed { offset: offset as i64, metadata: "x".into() })];
        producer.commit_offsets(&offsets, &metadata).unwrap();
        until("offsets are committed", PATIENCE, || {
            producer.offsets_committed(Duration::from_millis(100)).unwrap().then_some(())
        });
        assert!(producer.offsets_committed(Duration::ZERO).unwrap(), "nothing is on its way any more");
        assert_eq!(group_reader(&log, &group, false).committed(&[p(&topic, 0)]).unwrap(), [Some(offsets[0].1.clone())]);
    }
    // What was begun and is not asked about any more is over when `abort` returns.
    let offsets = [(p(&topic, 0), Committed { offset: 9, metadata: String::new() })];
    producer.commit_offsets(&offsets, &metadata).unwrap();
    producer.abort().unwrap();
    assert_eq!(group_reader(&log, &group, false).committed(&[p(&topic, 0)]).unwrap(), [Some(offsets[0].1.clone())]);

    let error = producer.commit_offsets(&[(p(&topic, 9), offsets[0].1.clone())], &metadata).unwrap_err();
    assert!(matches!(&error, LogError::Fenced(text) if text.contains("flying") && text.contains("-9")), "{error:?}");
    member.leave().unwrap();
    let error = producer.commit_offsets(&offsets, &metadata).unwrap_err();
    assert!(matches!(error, LogError::Fenced(_)), "{error:?}");
}

#[test]
fn commits_that_nobody_waits_for_consumer() {
    commits_that_nobody_waits_for(GroupProtocol::Consumer);
}

#[test]
fn commits_that_nobody_waits_for_classic() {
    commits_that_nobody_waits_for(GroupProtocol::Classic);
}

/// The group moved on without the member that the offsets' metadata names: the transaction must not commit.
#[test]
fn a_member_that_left_cannot_commit_in_a_transaction() {
    for protocol in [GroupProtocol::Consumer, GroupProtocol::Classic] {
        let log = log_with(protocol);
        let topic = new_topic(&log, "stale", 1);
        let group = unique("stale");
        let (mut first, stale) = joined(&log, &group, &[&topic]);
        first.leave().unwrap();
        let (_second, _) = joined(&log, &group, &[&topic]);

        let mut producer = transactional(&log, &unique("stale"));
        producer.begin().unwrap();
        send(producer.as_mut(), &topic, 0, &["stale"]);
        let error = producer.commit(&[(p(&topic, 0), Committed { offset: 1, metadata: String::new() })], &stale).unwrap_err();
        assert!(matches!(error, LogError::Fenced(_) | LogError::AbortTransaction(_)), "{protocol:?}: {error:?}");
        producer.abort().unwrap();
        assert_eq!(everything(&log, &topic, false), [""; 0], "{protocol:?}");
        assert_eq!(group_reader(&log, &group, false).committed(&[p(&topic, 0)]).unwrap(), [None], "{protocol:?}");
    }
}
