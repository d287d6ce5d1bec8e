use std::time::{Duration, Instant};

/// What a crash would cost: the bytes applied since the last flush and since when. Knows no clock.
#[derive(Debug, Default)]
pub(crate) struct Unflushed {
    bytes: usize,
    since: Option<Instant>,
}

impl Unflushed {
    /// Counts a write of `bytes` made at `now`.
    pub(crate) fn add(&mut self, bytes: usize, now: Instant) {
        self.bytes += bytes;
        self.since.get_or_insert(now);
    }

    /// Whether `limit` bytes or more wait.
    pub(crate) fn is_large(&self, limit: usize) -> bool {
        self.since.is_some() && self.bytes >= limit
    }

    /// Whether the oldest write has waited for `limit` or longer.
    pub(crate) fn is_old(&self, limit: Duration, now: Instant) -> bool {
        self.since.is_some_and(|since| now.saturating_duration_since(since) >= limit)
    }

    /// Starts over, because a flush that covers everything so far begins.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_by_bytes_and_ages_from_the_first_write() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut unflushed = Unflushed::default();
        assert!(!unflushed.is_large(0) && !unflushed.is_old(Duration::ZERO, after(99)), "nothing written, nothing to flush");

        unflushed.add(10, start);
        unflushed.add(10, after(29));
        assert!(unflushed.is_large(20) && !unflushed.is_large(21));
        assert!(!unflushed.is_old(Duration::from_secs(30), after(29)));
        assert!(unflushed.is_old(Duration::from_secs(30), after(30)), "counted from the oldest write, not the newest");

        unflushed.clear();
        assert!(!unflushed.is_large(1) && !unflushed.is_old(Duration::ZERO, after(99)));
    }
}
