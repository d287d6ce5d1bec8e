//! Getting an instance's name back from the group.
//!
//! By KIP-848 a static member that leaves cleanly lends its name to whoever comes next with it. One that was killed keeps the
//! name until its session ends, and the broker refuses its successor until then (`UNRELEASED_INSTANCE_ID`), which librdkafka
//! takes for the end of the consumer. By the classic protocol (KIP-345) the successor takes over at once.

use std::time::{Duration, Instant};

use headwater_core::port::LogError;

/// Between two attempts. Each one costs a consumer, because librdkafka gives this one up.
const PAUSE: Duration = Duration::from_secs(3);
/// Longer than a session usually is (45 s by default): whoever still has the name then is alive.
const PATIENCE: Duration = Duration::from_secs(120);

/// The state of asking.
#[derive(Debug)]
pub(super) struct Reclaim {
    since: Instant,
    next: Instant,
}

impl Reclaim {
    pub(super) fn begin(now: Instant) -> Reclaim {
        Reclaim { since: now, next: now }
    }

    /// Whether it is time to ask.
    pub(super) fn may_ask(&self, now: Instant) -> bool {
        now >= self.next
    }

    /// The group refused. An error when that has been going on for so long that the other one must be alive.
    pub(super) fn refused(&mut self, group: &str, instance: &str, now: Instant) -> Result<(), LogError> {
        let waited = now.saturating_duration_since(self.since);
        if waited >= PATIENCE {
            return Err(LogError::Fenced(format!(
                "instance {instance:?} of group {group:?} has belonged to another live member for {} s; give each process an instance name of its own",
                waited.as_secs()
            )));
        }
        if waited.is_zero() {
            tracing::warn!(
                group,
                instance,
                "the group still holds this instance's name for its predecessor; joining when the predecessor's session has ended"
            );
        }
        self.next = now + PAUSE;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_asks_again_and_again_but_not_for_ever() {
        let start = Instant::now();
        let mut reclaim = Reclaim::begin(start);
        assert!(reclaim.may_ask(start));
        reclaim.refused("app", "pod-0", start).unwrap();
        assert!(!reclaim.may_ask(start + Duration::from_secs(2)) && reclaim.may_ask(start + PAUSE));
        reclaim.refused("app", "pod-0", start + Duration::from_secs(60)).unwrap();
        let error = reclaim.refused("app", "pod-0", start + PATIENCE).unwrap_err();
        assert!(matches!(error, LogError::Fenced(_)) && error.to_string().contains("pod-0"), "{error}");
    }
}
