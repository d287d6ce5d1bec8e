use super::*;
use crate::Timeouts;

fn check_fenced(zombie: &mut dyn Producer) {
    let results = [
        ("begin", zombie.begin()),
        ("send", send(zombie, "t", 0, "late")),
        ("flush", zombie.flush()),
        ("commit", commit(zombie)),
        ("abort", zombie.abort()),
        ("init", zombie.init()),
    ];
    for (call, result) in results {
        assert!(matches!(result, Err(LogError::Fenced(_))), "{call}: {result:?}");
    }
}

#[test]
fn a_successor_aborts_and_fences() {
    let log = log(&[("t", 1)]);
    let mut zombie = producer(&log, Some("x"));
    open_transaction(&mut *zombie, "t", &["a"]);
    let mut successor = producer(&log, Some("x"));
    assert_eq!(log.high_watermark("t", 0), 2, "the abort marker is there");
    open_transaction(&mut *successor, "t", &["b"]);
    check_fenced(&mut *zombie);
    commit(&mut *successor).unwrap();
    assert_eq!(show(&log.read_all("t", 0, true)), "2=b");
}

#[test]
fn a_transaction_outlives_its_handle_until_it_times_out() {
    let log = MemoryLog::with_timeouts(Timeouts { transaction: Duration::from_secs(10), ..Timeouts::default() });
    log.create_topic("t", 1);
    let mut early = producer(&log, Some("early"));
    let mut late = producer(&log, Some("late"));
    open_transaction(&mut *early, "t", &["a"]);
    late.begin().unwrap();
    log.advance(Duration::from_secs(9));
    send(&mut *late, "t", 0, "b").unwrap();
    assert_eq!(show(&log.read_all("t", 0, true)), "");
    log.advance(Duration::from_secs(1));
    check_fenced(&mut *early);
    commit(&mut *late).unwrap();
    assert_eq!(show(&log.read_all("t", 0, true)), "1=b", "it counts from the first record, not from begin");

    let mut dropped = producer(&log, Some("dropped"));
    open_transaction(&mut *dropped, "t", &["c"]);
    drop(dropped);
    log.append("t", 0, None, Some(b"d"), Timestamp::MIN);
    assert_eq!(show(&log.read_all("t", 0, true)), "1=b");
    log.advance(Duration::from_secs(10));
    assert_eq!(show(&log.read_all("t", 0, true)), "1=b 5=d");
}
