use headwater_core::port::{LogError, Producer};
use headwater_core::{Outgoing, Timestamp};
use headwater_kafka::KafkaLog;
use headwater_tests::{KafkaBroker, until};

use super::support::*;

#[test]
fn records_are_hidden_until_the_commit() {
    let log = log();
    let topic = new_topic(&log, "hidden", 1);
    let (_member, metadata) = joined(&log, &unique("hidden"), &[&topic]);
    let mut producer = transactional(&log, &unique("hidden"));
    producer.begin().unwrap();
    send(producer.as_mut(), &topic, 0, &["a", "b"]);
    producer.flush().unwrap();
    assert_eq!(everything(&log, &topic, false), [""; 0]);
    assert_eq!(everything(&log, &topic, true), ["a", "b"]);
    producer.commit(&[], &metadata).unwrap();
    assert_eq!(everything(&log, &topic, false), ["a", "b"]);
}

#[test]
fn aborted_records_stay_hidden_and_the_producer_goes_on() {
    let log = log();
    let topic = new_topic(&log, "aborted", 1);
    let (_member, metadata) = joined(&log, &unique("aborted"), &[&topic]);
    let mut producer = transactional(&log, &unique("aborted"));
    producer.begin().unwrap();
    send(producer.as_mut(), &topic, 0, &["flushed"]);
    producer.flush().unwrap();
    send(producer.as_mut(), &topic, 0, &["queued"]);
    producer.abort().unwrap();
    producer.begin().unwrap();
    send(producer.as_mut(), &topic, 0, &["kept"]);
    producer.commit(&[], &metadata).unwrap();
    assert_eq!(everything(&log, &topic, false), ["kept"]);
}

/// The tail of a transactional partition is a marker, or aborted records: a reader gets past both (lag 0).
#[test]
fn the_position_passes_markers() {
    let log = log();
    let topic = new_topic(&log, "markers", 1);
    let (_member, metadata) = joined(&log, &unique("markers"), &[&topic]);
    let mut producer = transactional(&log, &unique("markers"));
    let mut reader = reader(&log, false);
    reader.assign(&[(p(&topic, 0), 0)]).unwrap();
    let mut check = |what: &str, expected: &[&str]| {
        let end = reader.ends(&[p(&topic, 0)]).unwrap()[0].end;
        let mut seen = Vec::new();
        until(what, PATIENCE, || {
            let batches = reader.poll(100, TICK).unwrap();
            seen.extend(batches.iter().flat_map(|batch| values(&batch.records)));
            // The broker answers a commit before its markers are written: the log may have grown by one since.
            batches.iter().any(|batch| batch.at_end && batch.position >= end).then_some(())
        });
        assert_eq!(seen, expected, "{what}");
        assert!(reader.cached_end(&p(&topic, 0)) >= Some(end), "{what}");
    };
    check("an empty log", &[]);

    producer.begin().unwrap();
    send(producer.as_mut(), &topic, 0, &["a", "b"]);
    producer.commit(&[], &metadata).unwrap();
    check("a commit marker last", &["a", "b"]);

    producer.begin().unwrap();
    send(producer.as_mut(), &topic, 0, &["c", "d"]);
    producer.flush().unwrap();
    producer.abort().unwrap();
    check("aborted records and their marker last", &[]);
}

#[test]
fn ends_count_open_transactions() {
    let log = log();
    let topic = new_topic(&log, "open", 2);
    let (_member, metadata) = joined(&log, &unique("open"), &[&topic]);
    let mut producer = transactional(&log, &unique("open"));
    producer.begin().unwrap();
    send(producer.as_mut(), &topic, 0, &["a", "b", "c"]);
    producer.flush().unwrap();

    for read_uncommitted in [false, true] {
        let ends = reader(&log, read_uncommitted).ends(&[p(&topic, 1), p(&topic, 0)]).unwrap();
        assert_eq!(ends.iter().map(|e| (e.start, e.end)).collect::<Vec<_>>(), [(0, 0), (0, 3)]);
    }
    // A reader of committed records is at its end before the first of them, which is not the log's end.
    let mut reader = reader(&log, false);
    reader.assign(&[(p(&topic, 0), 0)]).unwrap();
    let (records, position) = read_to_end(reader.as_mut());
    assert_eq!((records.len(), position), (0, 0));
    producer.commit(&[], &metadata).unwrap();
    let (records, position) = read_to_end(reader.as_mut());
    assert_eq!((records.len(), position), (3, 4));
}

#[test]
fn a_zombie_is_fenced() {
    let log = log();
    let topic = new_topic(&log, "zombie", 1);
    let (_member, metadata) = joined(&log, &unique("zombie"), &[&topic]);
    let id = unique("zombie");
    let mut zombie = transactional(&log, &id);
    zombie.begin().unwrap();
    send(zombie.as_mut(), &topic, 0, &["zombie's"]);
    zombie.flush().unwrap();

    let mut successor = transactional(&log, &id);
    successor.begin().unwrap();
    send(successor.as_mut(), &topic, 0, &["successor's"]);
    successor.commit(&[], &metadata).unwrap();

    let error = zombie.commit(&[], &metadata).unwrap_err();
    assert!(matches!(error, LogError::Fenced(_)), "{error:?}");
    // And it stays so: there is nothing left to begin.
    let error = zombie.begin().unwrap_err();
    assert!(matches!(error, LogError::Fenced(_)), "{error:?}");
    assert_eq!(everything(&log, &topic, false), ["successor's"]);
}

/// The brokers say so after the fact; then nothing of the transaction can be kept, and the producer goes on.
#[test]
fn what_a_broker_refuses_for_good_is_named() {
    let log = log();
    let topic = new_topic(&log, "refused", 2);
    let (_member, metadata) = joined(&log, &unique("refused"), &[&topic]);
    let mut producer = transactional(&log, &unique("refused"));
    // Larger than a topic takes by default (1 MiB), and dated later (an hour ahead).
    // Limits count after compression, so it must not compress.
    let huge: String = (0..2_u32 << 20)
        .map(|n| char::from(b'!' + (n.wrapping_mul(2_654_435_761).rotate_left(n % 31) >> 13) as u8 % 90))
        .collect();
    let late = Outgoing { timestamp: Timestamp::from_millis(4_102_444_800_000), ..record(&topic, 1, "late") };
    for (refused, partition, why) in [(record(&topic, 0, &huge), 0, "too large"), (late, 1, "timestamp")] {
        producer.begin().unwrap();
        send(producer.as_mut(), &topic, 0, &["lost with it"]);
        producer.send(refused).unwrap();
        let error = producer.flush().unwrap_err();
        let LogError::Refused { partition: named, reason } = &error else { panic!("{error:?}") };
        assert_eq!(*named, p(&topic, partition));
        assert!(reason.contains(why), "{reason}");
        producer.abort().unwrap();
    }
    // Sequence numbers are missing now, which takes the producer a transaction more to find out.
    until("a commit", PATIENCE, || {
        producer.begin().unwrap();
        send(producer.as_mut(), &topic, 0, &["kept"]);
        let committed = producer.commit(&[], &metadata);
        committed.map_err(|_| producer.abort().unwrap()).ok()
    });
    assert_eq!(everything(&log, &topic, false), ["kept"]);
}

/// What the client itself does not take is refused at once, and the transaction goes on without it.
#[test]
fn the_clients_own_limit_is_known_and_refuses_at_once() {
    let shared = KafkaBroker::shared();
    let log = KafkaLog::new(shared.config().option("message.max.bytes", "100000")).unwrap();
    let topic = new_topic(&log, "limited", 1);
    let (_member, metadata) = joined(&log, &unique("limited"), &[&topic]);
    let mut producer = transactional(&log, &unique("limited"));
    assert_eq!(producer.largest_record(), 100_000);
    producer.begin().unwrap();
    let error = producer.send(record(&topic, 0, &"x".repeat(200_000))).unwrap_err();
    assert!(matches!(&error, LogError::Refused { partition, .. } if *partition == p(&topic, 0)), "{error:?}");
    send(producer.as_mut(), &topic, 0, &["small"]);
    producer.commit(&[], &metadata).unwrap();
    assert_eq!(everything(&log, &topic, false), ["small"]);
}

#[test]
fn tracked_records_tell_their_offsets() {
    let log = log();
    let topic = new_topic(&log, "tracked", 2);
    let (_member, metadata) = joined(&log, &unique("tracked"), &[&topic]);
    let mut producer = transactional(&log, &unique("tracked"));
    let send_tracked = |partition: i32, track_offset: bool, producer: &mut dyn Producer| {
        producer.send(Outgoing { track_offset, ..record(&topic, partition, "v") }).unwrap();
    };
    producer.begin().unwrap();
    for partition in [0, 0, 1] {
        send_tracked(partition, true, producer.as_mut());
    }
    send_tracked(1, false, producer.as_mut());
    producer.commit(&[], &metadata).unwrap();
    let mut delivered = producer.take_delivered();
    delivered.sort();
    assert_eq!(delivered, [(p(&topic, 0), 2), (p(&topic, 1), 1)]);

    // Nothing new, and nothing of what is aborted.
    assert_eq!(producer.take_delivered(), []);
    producer.begin().unwrap();
    send_tracked(0, true, producer.as_mut());
    producer.flush().unwrap();
    producer.abort().unwrap();
    assert_eq!(producer.take_delivered(), []);
}
