use super::*;
use crate::{Call, Fault};

fn arm(log: &MemoryLog, call: Call, error: LogError) {
    log.inject(Fault { transactional_id: Some("x".into()), call, error });
}

fn retriable() -> LogError {
    LogError::Retriable("broker away".into())
}

#[test]
fn strikes_one_call_of_one_producer_before_any_effect() {
    let log = log(&[("t", 1)]);
    let (mut hit, mut spared) = (producer(&log, Some("x")), producer(&log, Some("y")));
    open_transaction(&mut *hit, "t", &["a"]);
    open_transaction(&mut *spared, "t", &["b"]);
    for call in [Call::Send, Call::Flush, Call::Commit] {
        arm(&log, call, retriable());
    }
    assert!(matches!(send(&mut *hit, "t", 0, "c"), Err(LogError::Retriable(_))));
    assert!(matches!(hit.flush(), Err(LogError::Retriable(_))));
    assert!(matches!(commit(&mut *hit), Err(LogError::Retriable(_))));
    assert_eq!(log.high_watermark("t", 0), 2);
    commit(&mut *spared).unwrap();
    send(&mut *hit, "t", 0, "c").unwrap();
    hit.flush().unwrap();
    commit(&mut *hit).unwrap();
    assert_eq!(show(&log.read_all("t", 0, true)), "0=a 1=b 3=c");
}

#[test]
fn a_transaction_told_to_abort_can_do_nothing_else() {
    let log = log(&[("t", 1)]);
    let mut writer = producer(&log, Some("x"));
    open_transaction(&mut *writer, "t", &["a"]);
    arm(&log, Call::Flush, LogError::AbortTransaction("refused".into()));
    assert!(writer.flush().is_err());
    assert!(matches!(send(&mut *writer, "t", 0, "b"), Err(LogError::AbortTransaction(why)) if why == "refused"));
    assert!(commit(&mut *writer).is_err());
    writer.abort().unwrap();
    open_transaction(&mut *writer, "t", &["c"]);
    commit(&mut *writer).unwrap();
    assert_eq!(show(&log.read_all("t", 0, true)), "2=c");
}

#[test]
fn init_begin_and_abort_can_fail_too() {
    let log = log(&[("t", 1)]);
    let mut writer = log.producer(&ProducerConfig { transactional_id: Some("x".into()) }).unwrap();
    for call in [Call::Init, Call::Begin, Call::Abort] {
        arm(&log, call, retriable());
    }
    assert!(writer.init().is_err());
    writer.init().unwrap();
    assert!(writer.begin().is_err());
    open_transaction(&mut *writer, "t", &["a"]);
    assert!(writer.abort().is_err());
    assert_eq!(log.high_watermark("t", 0), 1);
    writer.abort().unwrap();
    assert_eq!(log.high_watermark("t", 0), 2);
}
