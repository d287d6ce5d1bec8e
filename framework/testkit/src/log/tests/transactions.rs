use super::*;

#[test]
fn an_open_transaction_is_hidden_until_it_is_committed() {
    let log = log(&[("t", 1)]);
    let mut writer = producer(&log, Some("x"));
    open_transaction(&mut *writer, "t", &["a", "b"]);
    assert_eq!(show(&log.read_all("t", 0, true)), "");
    assert_eq!(show(&log.read_all("t", 0, false)), "0=a 1=b");
    commit(&mut *writer).unwrap();
    assert_eq!(show(&log.read_all("t", 0, true)), "0=a 1=b");
    assert_eq!(log.high_watermark("t", 0), 3, "the marker takes an offset");
}

#[test]
fn an_aborted_transaction_is_never_shown() {
    let log = log(&[("t", 1)]);
    let mut writer = producer(&log, Some("x"));
    open_transaction(&mut *writer, "t", &["a"]);
    writer.abort().unwrap();
    open_transaction(&mut *writer, "t", &["b"]);
    commit(&mut *writer).unwrap();
    assert_eq!(show(&log.read_all("t", 0, true)), "2=b");
    assert_eq!(show(&log.read_all("t", 0, false)), "0=a 2=b", "read uncommitted shows aborted records, never markers");
}

#[test]
fn a_transaction_ends_in_every_partition_it_touched_and_in_no_other() {
    let log = log(&[("t", 3)]);
    let mut writer = producer(&log, Some("x"));
    open_transaction(&mut *writer, "t", &["a"]);
    send(&mut *writer, "t", 1, "b").unwrap();
    commit(&mut *writer).unwrap();
    assert_eq!([0, 1, 2].map(|partition| log.high_watermark("t", partition)), [2, 2, 0]);
}

#[test]
fn the_first_open_transaction_holds_back_what_comes_after_it() {
    let log = log(&[("t", 1)]);
    let (mut first, mut second) = (producer(&log, Some("x")), producer(&log, Some("y")));
    log.append("t", 0, None, Some(b"a"), Timestamp::MIN);
    open_transaction(&mut *first, "t", &["b"]);
    open_transaction(&mut *second, "t", &["c"]);
    commit(&mut *second).unwrap();
    send(&mut *producer(&log, None), "t", 0, "d").unwrap();
    assert_eq!(show(&log.read_all("t", 0, true)), "0=a");
    assert_eq!(show(&log.read_settled("t", 0)), "0=a 2=c 4=d", "what is committed, whoever may see it");
    first.abort().unwrap();
    assert_eq!(show(&log.read_all("t", 0, true)), "0=a 2=c 4=d");
    assert_eq!(show(&log.read_settled("t", 0)), "0=a 2=c 4=d");
}

#[test]
fn an_idempotent_producer_is_visible_at_once() {
    let log = log(&[("t", 1)]);
    let mut writer = producer(&log, None);
    send(&mut *writer, "t", 0, "a").unwrap();
    writer.flush().unwrap();
    assert_eq!(show(&log.read_all("t", 0, true)), "0=a");
}

#[test]
fn delivered_offsets_are_those_after_the_last_tracked_record() {
    let log = log(&[("t", 2)]);
    let mut writer = producer(&log, Some("x"));
    open_transaction(&mut *writer, "t", &["a", "b"]);
    send(&mut *writer, "t", 1, "c").unwrap();
    let untracked = Outgoing {
        topic: &"t".into(),
        partition: 1,
        key: None,
        value: None,
        timestamp: Timestamp::MIN,
        headers: &[("h", Some(b"v")), ("none", None), ("h", Some(b""))],
        track_offset: false,
    };
    writer.send(untracked).unwrap();
    commit(&mut *writer).unwrap();
    assert_eq!(writer.take_delivered(), [(tp("t", 0), 2), (tp("t", 1), 1)]);
    assert_eq!(writer.take_delivered(), []);
    let headers = log.read_all("t", 1, true)[1].headers.clone();
    let headers: Vec<_> = headers.iter().map(|header| (&*header.key, header.value.as_deref())).collect();
    assert_eq!(headers, [("h", Some(&b"v"[..])), ("none", None), ("h", Some(b""))]);
    let mut reader = reader(&log, false, &[(tp("t", 1), 0)]);
    reader.leave_out_headers(&["t".into()]);
    let records: Vec<Record> = reader.poll(9, NOW).unwrap().into_iter().flat_map(|batch| batch.records).collect();
    assert_eq!(records.iter().map(|record| record.headers.len()).collect::<Vec<_>>(), [0, 0]);
}

#[test]
fn an_abort_forgets_what_it_delivered() {
    let log = log(&[("t", 1)]);
    let mut writer = producer(&log, Some("x"));
    open_transaction(&mut *writer, "t", &["a"]);
    writer.abort().unwrap();
    assert_eq!(writer.take_delivered(), []);
}

#[test]
fn calls_in_the_wrong_order_say_what_is_missing() {
    let log = log(&[("t", 1)]);
    let check = |result: Result<(), LogError>, said: &str| {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    };
    let mut raw = log.producer(&ProducerConfig { transactional_id: Some("x".into()) }).unwrap();
    check(raw.begin(), "call init first");
    let mut writer = producer(&log, Some("x"));
    check(send(&mut *writer, "t", 0, "a"), "begin one first");
    check(commit(&mut *writer), "begin one first");
    check(writer.abort(), "begin one first");
    writer.begin().unwrap();
    check(writer.begin(), "open transaction already");
    check(send(&mut *writer, "nowhere", 0, "a"), "topic \"nowhere\" does not exist");
    check(send(&mut *writer, "t", 1, "a"), "partition t-1 does not exist");
}
