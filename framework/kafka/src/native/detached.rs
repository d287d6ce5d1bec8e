use std::sync::mpsc::channel;
use std::time::Duration;

/// Makes a call of librdkafka's that may never return, on a thread of its own. None if it has not returned within `limit`: the thread
/// then stays behind with what it holds, until the call does return or the process ends.
pub(super) fn detached<T: Send + 'static>(limit: Duration, call: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (tell, told) = channel();
    // Nobody may be waiting for it any more.
    let work = move || drop(tell.send(call()));
    std::thread::Builder::new().name("detached".into()).spawn(work).ok()?;
    told.recv_timeout(limit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_for_the_answer_and_not_for_ever() {
        assert_eq!(detached(Duration::from_secs(60), || 7), Some(7));
        let (keep, stopped) = channel::<()>();
        assert_eq!(detached(Duration::from_millis(10), move || stopped.recv().is_ok()), None);
        drop(keep);
    }
}
