use super::*;
use crate::Tombstones;

fn keyed(log: &MemoryLog, records: &[(&str, Option<&str>)]) {
    for (key, value) in records {
        log.append("t", 0, Some(key.as_bytes()), value.map(str::as_bytes), Timestamp::MIN);
    }
}

#[test]
fn keeps_the_last_record_of_each_key_with_its_offset() {
    for (tombstones, removed, left) in [(Tombstones::Keep, 2, "2=a2 3=- 4=c"), (Tombstones::Drop, 3, "2=a2 4=c")] {
        let log = log(&[("t", 1)]);
        keyed(&log, &[("a", Some("a1")), ("b", Some("b1")), ("a", Some("a2")), ("b", None), ("c", Some("c"))]);
        assert_eq!(log.compact("t", tombstones).unwrap(), removed);
        assert_eq!(show(&log.read_all("t", 0, true)), left);
        assert_eq!(log.compact("t", tombstones).unwrap(), 0);
    }
    assert!(matches!(log(&[]).compact("t", Tombstones::Keep), Err(LogError::UnknownTopic { .. })));
}

#[test]
fn a_reader_passes_over_the_gaps_to_the_end() {
    let log = log(&[("t", 1)]);
    keyed(&log, &[("a", Some("1")), ("b", Some("2")), ("a", Some("3")), ("b", None)]);
    log.compact("t", Tombstones::Drop).unwrap();
    let mut from_start = reader(&log, false, &[(tp("t", 0), 0)]);
    assert_eq!(poll(&mut *from_start, 1), "t-0 [2=3] @4 end");
    let mut into_gap = reader(&log, false, &[(tp("t", 0), 3)]);
    assert_eq!(poll(&mut *into_gap, 1), "t-0 [] @4 end");
}

#[test]
fn stops_at_the_first_open_transaction_and_drops_what_was_aborted() {
    let log = log(&[("t", 1)]);
    keyed(&log, &[("k", Some("a")), ("k", Some("b"))]);
    let (mut aborted, mut open) = (producer(&log, Some("x")), producer(&log, Some("y")));
    open_transaction(&mut *aborted, "t", &["never"]);
    open_transaction(&mut *open, "t", &["c"]);
    keyed(&log, &[("k", Some("d"))]);
    send(&mut *aborted, "t", 0, "never").unwrap();
    aborted.abort().unwrap();
    assert_eq!(log.compact("t", Tombstones::Keep).unwrap(), 2);
    assert_eq!(show(&log.read_all("t", 0, true)), "1=b", "the newer value is not stable yet");
    commit(&mut *open).unwrap();
    assert_eq!(show(&log.read_all("t", 0, true)), "1=b 3=c 4=d", "aborted records above the stable part stay hidden");
    log.compact("t", Tombstones::Keep).unwrap();
    assert_eq!(show(&log.read_all("t", 0, false)), "4=d");
    assert_eq!(log.high_watermark("t", 0), 8);
}
