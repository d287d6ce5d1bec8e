//! Clients are closed in the background: librdkafka waits for each of their threads, some of which look round ten times a second, and while a
//! process starts or stops it goes through a dozen of them.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many are being closed.
static UNDER_WAY: Mutex<usize> = Mutex::new(0);
static CLOSED: Condvar = Condvar::new();

/// Drops something on a thread of its own; on this one if there cannot be another.
pub(super) fn in_background<T: Send + 'static>(what: T) {
    *count() += 1;
    let counted = Counted(Some(what));
    // What was not taken over is dropped here.
    drop(std::thread::Builder::new().name("closing".into()).spawn(move || drop(counted)));
}

/// Waits until everything dropped in the background is gone: a process should not end in the middle of it. For so long at most.
pub(crate) fn wait_until_closed(limit: Duration) {
    let (began, mut under_way) = (Instant::now(), count());
    while *under_way > 0 && began.elapsed() < limit {
        let left = limit.saturating_sub(began.elapsed());
        under_way = CLOSED.wait_timeout(under_way, left).unwrap_or_else(PoisonError::into_inner).0;
    }
}

fn count() -> std::sync::MutexGuard<'static, usize> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Counted<T>(Option<T>);

impl<T> Drop for Counted<T> {
    fn drop(&mut self) {
        drop(self.0.take());
        *count() -= 1;
        CLOSED.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    /// Takes until somebody lets it.
    struct Slow(Receiver<()>);

    impl Drop for Slow {
        fn drop(&mut self) {
            let _ = self.0.recv();
        }
    }

    #[test]
    fn nobody_waits_but_who_wants_to() {
        let (release, waiting) = channel();
        in_background(Slow(waiting));
        wait_until_closed(Duration::from_millis(10));
        assert!(*count() > 0, "it is not closed yet");
        release.send(()).unwrap();
        wait_until_closed(Duration::from_secs(60));
        assert_eq!(*count(), 0);
    }
}
