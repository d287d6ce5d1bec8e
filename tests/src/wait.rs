use std::time::{Duration, Instant};

/// Asks again and again until there is an answer. Panics, naming `what`, after `timeout`.
///
/// The question should wait a little by itself (poll with a timeout); a pause of 5 ms keeps it from spinning if not.
pub fn until<T>(what: &str, timeout: Duration, mut question: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + timeout;
    loop {
        if let Some(answer) = question() {
            return answer;
        }
        assert!(Instant::now() < deadline, "{what}: not within {timeout:?}");
        #[allow(clippy::disallowed_methods, reason = "the pause between two looks at a condition that has a deadline")]
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs `f` and panics, naming `what`, if it took longer than `limit`.
pub fn within<T>(what: &str, limit: Duration, f: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = f();
    let took = started.elapsed();
    assert!(took <= limit, "{what} took {took:?}, more than {limit:?}");
    result
}
