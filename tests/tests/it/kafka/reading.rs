use headwater_core::port::{Log, LogError, Reader};
use headwater_core::{Outgoing, Record, Timestamp};
use headwater_tests::until;

use super::support::*;

#[test]
fn headers_nulls_and_timestamps_survive() {
    let log = log();
    let topic = new_topic(&log, "shapes", 1);
    let mut producer = plain_producer(&log);
    let base = Outgoing { timestamp: Timestamp::from_millis(1_357_016_400_123), ..record(&topic, 0, "") };
    let shapes = [
        Outgoing { key: None, value: None, ..base },
        Outgoing { key: Some(b""), value: Some(b""), ..base },
        Outgoing { key: Some(b"k"), value: None, headers: &[("watermark", Some(b"\x00\x01"))], ..base },
        Outgoing {
            key: None,
            value: Some(b"v"),
            headers: &[("empty", Some(b"")), ("none", None), ("empty", Some(b"again"))],
            ..base
        },
        // Librdkafka would write the time of day.
        Outgoing { timestamp: Timestamp::from_millis(0), ..base },
        Outgoing { timestamp: Timestamp::MIN, ..base },
    ];
    for shape in &shapes {
        producer.send(*shape).unwrap();
    }
    producer.flush().unwrap();

    let mut reader = reader(&log, false);
    reader.assign(&[(p(&topic, 0), 0)]).unwrap();
    let (records, _) = read_to_end(reader.as_mut());
    assert_eq!(records.len(), shapes.len());
    for (record, shape) in records.iter().zip(&shapes) {
        assert_eq!(record.key.as_deref(), shape.key);
        assert_eq!(record.value.as_deref(), shape.value);
        let headers: Vec<_> = record.headers.iter().map(|h| (&*h.key, h.value.as_deref())).collect();
        assert_eq!(headers, shape.headers);
    }
    let timestamps: Vec<i64> = records.iter().map(|r| r.timestamp.as_millis()).collect();
    assert_eq!(timestamps[..4], [1_357_016_400_123; 4]);
    assert_eq!(timestamps[4..], [1, -1]);

    // Whoever does not look at headers gets none, and everything else as it is.
    reader.leave_out_headers(std::slice::from_ref(&topic));
    reader.assign(&[(p(&topic, 0), 0)]).unwrap();
    let (bare, _) = read_to_end(reader.as_mut());
    let expected: Vec<Record> = records.into_iter().map(|record| Record { headers: Vec::new(), ..record }).collect();
    assert_eq!(bare, expected);
}

#[test]
fn an_offset_out_of_range_is_named() {
    let log = log();
    let topic = new_topic(&log, "short", 1);
    let mut producer = plain_producer(&log);
    send(producer.as_mut(), &topic, 0, &["a", "b", "c", "d"]);
    producer.flush().unwrap();
    let mut reader = reader(&log, false);
    let mut check = |offset: i64, bounds: &str| {
        reader.assign(&[(p(&topic, 0), offset)]).unwrap();
        let error = until("an error", PATIENCE, || reader.poll(10, TICK).err());
        let expected = format!("offset {offset} of {topic}-0 is out of range: the log has offsets {bounds} (end excluded)");
        assert_eq!(error.to_string(), expected);
    };
    check(99, "0 to 4");
    log.admin().unwrap().delete_records(&[(p(&topic, 0), 2)]).unwrap();
    check(0, "2 to 4");
    // It is usable again.
    reader.assign(&[(p(&topic, 0), 2)]).unwrap();
    assert_eq!(values(&read_to_end(reader.as_mut()).0), ["c", "d"]);
}

#[test]
fn a_missing_topic_is_named() {
    let log = log();
    let mut reader = reader(&log, false);
    let missing: headwater_core::TopicName = unique("missing").into();
    let error = reader.ends(&[p(&missing, 0)]).unwrap_err();
    assert!(matches!(&error, LogError::UnknownTopic { topic } if **topic == *missing), "{error:?}");
    let topic = new_topic(&log, "narrow", 2);
    let error = reader.ends(&[p(&topic, 1), p(&topic, 2)]).unwrap_err();
    assert_eq!(error.to_string(), format!("looking up the first offset of {topic}-2: the topic has 2 partitions only"));
}

/// A partition of numbered records for what follows.
fn numbered(log: &headwater_kafka::KafkaLog, count: usize) -> headwater_core::TopicName {
    let topic = new_topic(log, "numbered", 1);
    let mut producer = plain_producer(log);
    for number in 0..count {
        let value = format!("{number} {}", "x".repeat(100));
        producer.send(record(&topic, 0, &value)).unwrap();
    }
    producer.flush().unwrap();
    topic
}

/// Reads `count` records and checks that they are those from `from` on.
fn expect_from(reader: &mut dyn Reader, from: i64, count: i64) {
    let mut next = from;
    until("records", PATIENCE, || {
        for batch in reader.poll(500, TICK).unwrap() {
            for record in &batch.records {
                assert_eq!(record.offset, next, "after starting at {from}");
                assert!(record.value.as_ref().unwrap().starts_with(format!("{next} ").as_bytes()));
                next += 1;
            }
            assert_eq!(batch.position, next);
        }
        (next - from >= count).then_some(())
    });
}

#[test]
fn nothing_stale_comes_after_a_jump() {
    const COUNT: i64 = 20_000;
    let log = log();
    let topic = numbered(&log, COUNT as usize);
    let mut reader = reader(&log, false);
    let mut from = 0;
    for round in 0..40 {
        reader.assign(&[(p(&topic, 0), from)]).unwrap();
        // Sometimes the next jump comes before anything arrived, sometimes in the midst of it.
        expect_from(reader.as_mut(), from, [0, 1, 700, 3000][round % 4]);
        from = (from * 31 + 4_321) % (COUNT - 4_000);
    }
    // Unassigned and assigned again is a jump too; in between there is nothing.
    reader.unassign(&[p(&topic, 0)]).unwrap();
    assert_eq!(reader.poll(100, TICK).unwrap(), []);
    reader.assign(&[(p(&topic, 0), 5)]).unwrap();
    expect_from(reader.as_mut(), 5, 100);
}

#[test]
fn a_pause_loses_and_repeats_nothing() {
    let log = log();
    let topic = numbered(&log, 10_000);
    let mut reader = reader(&log, false);
    reader.assign(&[(p(&topic, 0), 100)]).unwrap();
    let mut next = 100;
    for round in 0..10 {
        let mut seen = Vec::new();
        until("records", PATIENCE, || {
            let batches = reader.poll(if round == 0 { 1 } else { 300 }, TICK).unwrap();
            seen.extend(batches.into_iter().flat_map(|batch| batch.records).map(|record| record.offset));
            (!seen.is_empty()).then_some(())
        });
        assert_eq!(seen, (next..next + seen.len() as i64).collect::<Vec<_>>());
        next += seen.len() as i64;
        reader.pause(&[p(&topic, 0)]).unwrap();
        assert_eq!(reader.poll(100, TICK).unwrap(), [], "paused");
        reader.resume(&[p(&topic, 0)]).unwrap();
    }
    // A pause ends with its assignment.
    reader.pause(&[p(&topic, 0)]).unwrap();
    reader.assign(&[(p(&topic, 0), 7)]).unwrap();
    expect_from(reader.as_mut(), 7, 50);
    reader.pause(&[p(&topic, 0)]).unwrap();
    reader.unassign(&[p(&topic, 0)]).unwrap();
    reader.assign(&[(p(&topic, 0), 9)]).unwrap();
    expect_from(reader.as_mut(), 9, 50);
}

#[test]
fn several_partitions_are_read_at_once() {
    let log = log();
    let topic = new_topic(&log, "several", 3);
    let mut producer = plain_producer(&log);
    for partition in 0..3 {
        send(producer.as_mut(), &topic, partition, &["a", "b"]);
    }
    producer.flush().unwrap();
    let mut reader = reader(&log, true);
    reader.assign(&[(p(&topic, 0), 0), (p(&topic, 1), 1), (p(&topic, 2), 2)]).unwrap();
    let mut seen = vec![Vec::new(); 3];
    let mut ends = 0;
    until("the ends", PATIENCE, || {
        for batch in reader.poll(100, TICK).unwrap() {
            seen[batch.partition.partition as usize].extend(values(&batch.records));
            ends += usize::from(batch.at_end);
        }
        (ends == 3).then_some(())
    });
    assert_eq!(seen, [vec!["a", "b"], vec!["b"], vec![]]);
}
