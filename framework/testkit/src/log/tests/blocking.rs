use std::thread;

use super::*;

const LONG: Duration = Duration::from_secs(60);

/// Runs `wait` on another thread; `change` runs once something waits on the log.
fn while_waiting<T: Send>(log: &MemoryLog, wait: impl FnOnce() -> T + Send, change: impl FnOnce()) -> T {
    thread::scope(|scope| {
        let waiting = scope.spawn(wait);
        while !log.lock().waiting.anybody() {
            thread::yield_now();
        }
        change();
        waiting.join().unwrap()
    })
}

#[test]
fn a_reader_wakes_when_it_can_see_more() {
    let log = log(&[("t", 1)]);
    let (mut uncommitted, mut committed) = (reader(&log, true, &[(tp("t", 0), 0)]), reader(&log, false, &[(tp("t", 0), 0)]));
    let mut writer = producer(&log, Some("x"));
    assert_eq!((&*poll(&mut *uncommitted, 9), &*poll(&mut *committed, 9)), ("t-0 [] @0 end", "t-0 [] @0 end"));

    let sent = while_waiting(&log, || uncommitted.poll(9, LONG), || open_transaction(&mut *writer, "t", &["a"]));
    assert_eq!(show_batches(&sent.unwrap()), "t-0 [0=a] @1 end");
    let aborted = while_waiting(&log, || committed.poll(9, LONG), || drop(producer(&log, Some("x"))));
    assert_eq!(show_batches(&aborted.unwrap()), "t-0 [] @2 end", "a successor has aborted the transaction");
}

#[test]
fn a_member_wakes_when_it_gets_partitions() {
    let log = log(&[("a", 1)]);
    let (mut owner, mut waiting) = (member(&log, None, &["a"]), member(&log, None, &["a"]));
    step(&mut *owner);
    let events = while_waiting(&log, || waiting.poll(LONG), || owner.leave().unwrap());
    assert_eq!(show_events(&events.unwrap()), "+a-0");
}
