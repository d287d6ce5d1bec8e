use super::*;

#[test]
fn cuts_what_no_reader_of_committed_records_has_seen() {
    let log = log(&[("t", 1)]);
    let mut writer = producer(&log, Some("x"));
    open_transaction(&mut *writer, "t", &["a"]);
    commit(&mut *writer).unwrap();
    open_transaction(&mut *writer, "t", &["never", "never"]);
    assert_eq!(log.last_stable_offset("t", 0), 2);
    assert_eq!(log.cut_uncommitted_tail("t", 0), 0, "a transaction is open");
    writer.abort().unwrap();
    assert_eq!((log.last_stable_offset("t", 0), log.high_watermark("t", 0)), (5, 5));
    assert_eq!(log.cut_uncommitted_tail("t", 0), 3);
    assert_eq!(log.high_watermark("t", 0), 2);
    assert_eq!(log.cut_uncommitted_tail("t", 0), 0, "a commit marker stays");
    open_transaction(&mut *writer, "t", &["b"]);
    commit(&mut *writer).unwrap();
    assert_eq!(show(&log.read_all("t", 0, true)), "0=a 2=b");
    assert_eq!(log.cut_uncommitted_tail("none", 0), 0);
}

#[test]
fn an_aborted_record_that_stays_keeps_its_marker() {
    let log = log(&[("t", 1)]);
    let (mut aborted, mut committed) = (producer(&log, Some("x")), producer(&log, Some("y")));
    open_transaction(&mut *aborted, "t", &["never"]);
    open_transaction(&mut *committed, "t", &["a"]);
    commit(&mut *committed).unwrap();
    send(&mut *aborted, "t", 0, "never").unwrap();
    aborted.abort().unwrap();
    assert_eq!(log.cut_uncommitted_tail("t", 0), 0);
    assert_eq!(show(&log.read_all("t", 0, true)), "1=a");
}
