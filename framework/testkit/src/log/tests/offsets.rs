use super::*;

#[test]
fn offsets_are_committed_with_the_transaction_or_not_at_all() {
    let log = log(&[("in", 1), ("out", 1)]);
    let mut member = member(&log, None, &["in"]);
    assert!(member.metadata().is_none(), "not joined yet");
    step(&mut *member);
    let group = member.metadata().unwrap();
    let input = tp("in", 0);
    let mut writer = producer(&log, Some("x"));
    open_transaction(&mut *writer, "out", &["a"]);
    writer.commit(&[(input.clone(), at(3))], &group).unwrap();
    assert_eq!(log.committed("g", &input), Some(at(3)));
    open_transaction(&mut *writer, "out", &["b"]);
    writer.abort().unwrap();
    assert_eq!(log.committed("g", &input), Some(at(3)));
    let mut reader = reader(&log, false, &[]);
    assert_eq!(reader.committed(&[input, tp("out", 0)]).unwrap(), [Some(at(3)), None]);
    assert_eq!(log.committed("other", &tp("in", 0)), None);
}

#[test]
fn a_stale_generation_aborts_and_a_stranger_is_fenced() {
    let log = log(&[("in", 2), ("out", 1)]);
    for id in [Some("x"), None] {
        let mut first = member(&log, None, &["in"]);
        step(&mut *first);
        let stale = first.metadata().unwrap();
        let mut second = member(&log, None, &["in"]);
        step(&mut *second);
        let mut writer = producer(&log, id);
        open_transaction(&mut *writer, "out", &["a"]);
        writer.commit(&[(tp("in", 1), at(1))], &stale).unwrap();

        assert_eq!(step(&mut *first), "-in-1");
        assert_eq!(first.metadata().unwrap().generation, stale.generation, "the old generation until it has given up");
        step(&mut *first);
        assert!(first.metadata().unwrap().generation > stale.generation);
        open_transaction(&mut *writer, "out", &["b"]);
        let result = writer.commit(&[(tp("in", 0), at(2))], &stale);
        assert!(matches!(result, Err(LogError::AbortTransaction(_))), "{result:?}");
        if id.is_some() {
            assert!(matches!(send(&mut *writer, "out", 0, "c"), Err(LogError::AbortTransaction(_))));
        }
        writer.abort().unwrap();

        let current = first.metadata().unwrap();
        first.leave().unwrap();
        open_transaction(&mut *writer, "out", &["d"]);
        let result = writer.commit(&[(tp("in", 0), at(3))], &current);
        assert!(matches!(result, Err(LogError::Fenced(_))), "{result:?}");
        second.leave().unwrap();
        assert_eq!(log.committed("g", &tp("in", 0)), None);
        assert_eq!(log.committed("g", &tp("in", 1)), Some(at(1)));
    }
}

#[test]
fn a_refused_commit_leaves_no_records() {
    let log = log(&[("in", 1), ("out", 1)]);
    let mut member = member(&log, None, &["in"]);
    step(&mut *member);
    let group = member.metadata().unwrap();
    log.expire_member("g", &log.members("g")[0].id);
    let mut writer = producer(&log, Some("x"));
    open_transaction(&mut *writer, "out", &["a"]);
    assert!(writer.commit(&[(tp("in", 0), at(1))], &group).is_err());
    assert_eq!(show(&log.read_all("out", 0, true)), "");
    writer.abort().unwrap();
    assert_eq!(show(&log.read_all("out", 0, true)), "");
}

#[test]
fn metadata_of_another_log_is_refused() {
    let log = log(&[("out", 1)]);
    let mut writer = producer(&log, None);
    assert!(matches!(writer.commit(&[(tp("in", 0), at(1))], &no_group()), Err(LogError::Fatal(_))));
}
