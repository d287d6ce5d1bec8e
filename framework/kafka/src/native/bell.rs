use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Rung by queues that have got something, for one who waits for any of them.
#[derive(Default)]
pub(super) struct Bell {
    rung: Mutex<Vec<u64>>,
    heard: Condvar,
}

impl Bell {
    /// The queue of this number has something.
    pub(super) fn ring(&self, number: u64) {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner).push(number);
        self.heard.notify_one();
    }

    /// Those that rang, after waiting for one of them, for so long at most.
    pub(super) fn wait(&self, timeout: Duration) -> Vec<u64> {
        let began = Instant::now();
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        while rung.is_empty() {
            let left = timeout.saturating_sub(began.elapsed());
            if left.is_zero() {
                break;
            }
            rung = self.heard.wait_timeout(rung, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        std::mem::take(&mut rung)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_hears_all_that_rang() {
        let bell = Bell::default();
        assert!(bell.wait(Duration::ZERO).is_empty());
        (1..=3).for_each(|number| bell.ring(number));
        assert_eq!(bell.wait(Duration::from_secs(60)), [1, 2, 3]);
        std::thread::scope(|scope| {
            scope.spawn(|| bell.ring(4));
            assert_eq!(bell.wait(Duration::from_secs(60)), [4]);
        });
        assert!(bell.wait(Duration::from_millis(1)).is_empty());
    }
}
