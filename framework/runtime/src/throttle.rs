use std::time::Duration;

/// Holds work down to a rate. Time is the caller's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Throttle {
    per_second: f64,
    /// When all that was done may have been done.
    due: Duration,
}

/// What may be caught up after a pause.
const BURST: Duration = Duration::from_millis(200);

impl Throttle {
    /// So many records a second.
    pub(crate) fn of(per_second: f64) -> Throttle {
        Throttle { per_second, due: Duration::ZERO }
    }

    /// Takes note of work done.
    pub(crate) fn did(&mut self, records: usize, now: Duration) {
        self.due = self.due.max(now.saturating_sub(BURST)) + Duration::from_secs_f64(records as f64 / self.per_second);
    }

    /// How long to wait before going on.
    pub(crate) fn wait(&self, now: Duration) -> Duration {
        self.due.saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_waits_for_its_time_and_a_pause_is_caught_up_a_little_only() {
        let at = Duration::from_millis;
        let mut throttle = Throttle::of(1000.0);
        throttle.did(500, at(0));
        assert_eq!(throttle.wait(at(0)), at(500));
        assert_eq!(throttle.wait(at(600)), at(0));
        throttle.did(100, at(10_000));
        assert_eq!(throttle.wait(at(10_000)), at(0), "200 ms of the pause may be caught up");
        throttle.did(300, at(10_000));
        assert_eq!(throttle.wait(at(10_000)), at(200));
    }
}
