use std::time::{Duration, Instant};

/// When a member that lost its place joins anew. The first time at once; members that take it from each other again and again (two
/// processes with one `group.instance.id`) wait longer and longer.
#[derive(Debug, Default)]
pub(super) struct Rejoin {
    last: Option<Instant>,
    pause: Duration,
}

impl Rejoin {
    const FIRST: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_secs(30);

    /// Whether it is time; takes note of it if so.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let quiet = self.last.map(|last| now.saturating_duration_since(last));
        if quiet.is_some_and(|quiet| quiet < self.pause) {
            return false;
        }
        let settled = quiet.is_none_or(|quiet| quiet > 2 * Rejoin::LONGEST);
        self.pause = if settled { Rejoin::FIRST } else { (2 * self.pause).min(Rejoin::LONGEST) };
        self.last = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_the_place_is_kept() {
        let (mut rejoin, start) = (Rejoin::default(), Instant::now());
        let mut due = |after: u64| rejoin.is_due(start + Duration::from_secs(after));
        let times: Vec<u64> = (0..120).filter(|second| due(*second)).collect();
        assert_eq!(times, [0, 1, 3, 7, 15, 31, 61, 91]);
        assert!(due(300) && !due(300) && due(301), "after a quiet while it begins anew");
    }
}
