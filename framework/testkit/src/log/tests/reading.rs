use headwater_core::port::Ends;

use super::*;

#[test]
fn the_end_is_reported_once_each_time_it_is_reached() {
    let log = log(&[("t", 1)]);
    let mut reader = reader(&log, false, &[(tp("t", 0), 0)]);
    let mut writer = producer(&log, Some("x"));
    assert_eq!(poll(&mut *reader, 10), "t-0 [] @0 end", "an empty partition has its end at the start");
    assert_eq!(poll(&mut *reader, 10), "");
    open_transaction(&mut *writer, "t", &["a", "b"]);
    assert_eq!(poll(&mut *reader, 10), "", "nothing new below the last stable offset");
    commit(&mut *writer).unwrap();
    assert_eq!(poll(&mut *reader, 1), "t-0 [0=a] @1");
    assert_eq!(poll(&mut *reader, 1), "t-0 [1=b] @3 end", "past the marker");
    assert_eq!(poll(&mut *reader, 1), "");
    open_transaction(&mut *writer, "t", &["c"]);
    writer.abort().unwrap();
    assert_eq!(poll(&mut *reader, 1), "t-0 [] @5 end", "past what was aborted");
    reader.assign(&[(tp("t", 0), 5)]).unwrap();
    assert_eq!(poll(&mut *reader, 1), "t-0 [] @5 end");
}

#[test]
fn each_isolation_level_has_its_own_end() {
    let log = log(&[("t", 1)]);
    log.append("t", 0, None, Some(b"a"), Timestamp::MIN);
    let mut writer = producer(&log, Some("x"));
    open_transaction(&mut *writer, "t", &["b"]);
    let mut committed = reader(&log, false, &[(tp("t", 0), 0)]);
    let mut uncommitted = reader(&log, true, &[(tp("t", 0), 0)]);
    assert_eq!(poll(&mut *committed, 9), "t-0 [0=a] @1 end");
    assert_eq!(poll(&mut *uncommitted, 9), "t-0 [0=a 1=b] @2 end");
    assert_eq!(committed.ends(&[tp("t", 0)]).unwrap(), [Ends { start: 0, end: 2 }], "ends are read uncommitted");
    assert_eq!(committed.cached_end(&tp("t", 0)), Some(2));
    assert_eq!(committed.cached_end(&tp("t", 1)), None);
}

#[test]
fn a_jump_returns_nothing_of_before() {
    let log = log(&[("t", 1)]);
    for value in [b"a", b"b", b"c"] {
        log.append("t", 0, None, Some(value), Timestamp::MIN);
    }
    let mut reader = reader(&log, false, &[(tp("t", 0), 0)]);
    assert_eq!(poll(&mut *reader, 1), "t-0 [0=a] @1");
    reader.assign(&[(tp("t", 0), 2)]).unwrap();
    assert_eq!(poll(&mut *reader, 9), "t-0 [2=c] @3 end");
    reader.assign(&[(tp("t", 0), 1)]).unwrap();
    reader.unassign(&[tp("t", 0)]).unwrap();
    assert_eq!(poll(&mut *reader, 9), "");
}

#[test]
fn a_paused_partition_waits_and_the_others_take_turns() {
    let log = log(&[("t", 3)]);
    for partition in 0..3 {
        for _ in 0..2 {
            log.append("t", partition, None, Some(b"a"), Timestamp::MIN);
        }
    }
    let mut reader = reader(&log, false, &[(tp("t", 0), 0), (tp("t", 1), 0), (tp("t", 2), 0)]);
    reader.pause(&[tp("t", 1)]).unwrap();
    assert_eq!(poll(&mut *reader, 1), "t-0 [0=a] @1");
    assert_eq!(poll(&mut *reader, 1), "t-2 [0=a] @1");
    assert_eq!(poll(&mut *reader, 9), "t-0 [1=a] @2 end, t-2 [1=a] @2 end");
    reader.resume(&[tp("t", 1)]).unwrap();
    assert_eq!(poll(&mut *reader, 9), "t-1 [0=a 1=a] @2 end");
}

#[test]
fn an_offset_outside_the_log_is_an_error_that_names_the_partition() {
    let log = log(&[("t", 2)]);
    for value in [b"a", b"b", b"c"] {
        log.append("t", 0, None, Some(value), Timestamp::MIN);
    }
    log.append("t", 1, None, Some(b"d"), Timestamp::MIN);
    let mut admin = log.admin().unwrap();
    admin.delete_records(&[(tp("t", 0), 2)]).unwrap();
    admin.delete_records(&[(tp("t", 0), 1)]).unwrap();
    assert!(admin.delete_records(&[(tp("t", 0), 4)]).is_err());
    assert_eq!(show(&log.read_all("t", 0, true)), "2=c");
    for (from, said) in [
        (0, "offset 0 of t-0 is out of range: the log has offsets 2 to 3 (end excluded)"),
        (4, "offset 4 of t-0 is out of range: the log has offsets 2 to 3 (end excluded)"),
        (2, "t-0 [2=c] @3 end, t-1 [0=d] @1 end"),
        (3, "t-0 [] @3 end, t-1 [0=d] @1 end"),
    ] {
        let mut reader = reader(&log, false, &[(tp("t", 0), from), (tp("t", 1), 0)]);
        assert_eq!(poll(&mut *reader, 9), said, "from {from}");
        reader.assign(&[(tp("t", 0), 2)]).unwrap();
        let after = poll(&mut *reader, 9);
        assert!(after.starts_with("t-0 [2=c] @3 end"), "a failed poll loses nothing: {after}");
    }
    let mut reader = reader(&log, false, &[(tp("t", 1), 0)]);
    admin.delete_records(&[(tp("t", 1), 1)]).unwrap();
    assert_eq!(poll(&mut *reader, 9), "offset 0 of t-1 is out of range: the log has offsets 1 to 1 (end excluded)");
}

#[test]
fn an_unknown_partition_is_refused_at_once() {
    let log = log(&[("t", 1)]);
    let mut reader = reader(&log, false, &[]);
    assert!(matches!(reader.assign(&[(tp("nowhere", 0), 0)]), Err(LogError::UnknownTopic { topic }) if topic == "nowhere"));
    assert!(matches!(reader.ends(&[tp("t", -1)]), Err(LogError::Fatal(_))));
}

#[test]
fn topics_are_described_as_they_were_created() {
    use headwater_core::port::NewTopic;
    let log = log(&[("t", 2)]);
    let mut admin = log.admin().unwrap();
    let config = [("cleanup.policy".to_owned(), "compact".to_owned())].into();
    let new = |name: &str| NewTopic { name: name.into(), partitions: 5, replication: None, config: Clone::clone(&config) };
    admin.create(&[new("t"), new("u")]).unwrap();
    let found = admin.describe(&["t".into(), "u".into(), "nowhere".into()]).unwrap();
    let shown: Vec<_> =
        found.iter().map(|(name, info)| (&**name, info.partitions, info.replication, info.config.len())).collect();
    assert_eq!(shown, [("t", 2, 1, 0), ("u", 5, 1, 1)], "a topic that exists is left as it is");
    assert_eq!(admin.brokers().unwrap(), 1);
}
