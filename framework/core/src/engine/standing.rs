//! Whether a store can be continued from where it is, judged by its checkpoint and by what the log has. Pure.

use std::time::Duration;

use crate::port::{Checkpoint, Ends, StoreTrouble, TopicId};
use crate::time::Timestamp;

/// What the log says about a changelog.
#[derive(Debug, Clone)]
pub(crate) struct LogFacts {
    /// Its bounds.
    pub(crate) log: Ends,
    /// Where a restore ends: the log's end, or for a table the committed position.
    pub(crate) bound: i64,
    /// Its topic's id, where the cluster tells.
    pub(crate) topic: Option<TopicId>,
    /// How long the topic keeps deletions; none if it never forgets single records.
    pub(crate) tombstones: Option<Duration>,
}

/// What to do with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is new: everything is read.
    New,
    /// Only what follows this offset is missing.
    Tail(i64),
    /// It cannot be continued: everything is read anew.
    Rebuild(StoreTrouble),
}

/// Deletions are taken to be forgotten this much earlier than the topic says: clocks differ, and a deletion in an open transaction is
/// older than its commit.
fn margin(retention: Duration) -> Duration {
    Duration::from_secs(300).min(retention / 10)
}

/// Compares a store with its log.
pub(crate) fn judge(stored: Option<&Checkpoint>, facts: &LogFacts, now: Option<Timestamp>) -> Standing {
    let Some(stored) = stored else { return Standing::New };
    if let (Some(was), Some(is)) = (stored.topic, facts.topic)
        && was != is
    {
        return Standing::Rebuild(StoreTrouble::Recreated);
    }
    if stored.offset > facts.bound {
        return Standing::Rebuild(StoreTrouble::Truncated);
    }
    if stored.offset < facts.log.start {
        return Standing::Rebuild(StoreTrouble::Trimmed);
    }
    // With nothing behind it there is no deletion that could be missing.
    if let (Some(as_of), Some(now), Some(retention)) = (stored.as_of, now, facts.tombstones)
        && stored.offset < facts.log.end
        && age(as_of, now) >= retention - margin(retention)
    {
        return Standing::Rebuild(StoreTrouble::Expired);
    }
    Standing::Tail(stored.offset)
}

fn age(as_of: Timestamp, now: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(now.as_millis().saturating_sub(as_of.as_millis())).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: TopicId = TopicId([1; 16]);
    const OTHER: TopicId = TopicId([2; 16]);
    const HOUR: i64 = 3_600_000;

    /// A log with offsets 10 to 100 that keeps deletions for a day, looked at 30 hours after the epoch.
    fn check(offset: i64, topic: Option<TopicId>, as_of_hour: Option<i64>, bound: i64, expected: Standing) {
        let as_of = as_of_hour.map(|hour| Timestamp::from_millis(hour * HOUR));
        let facts = LogFacts {
            log: Ends { start: 10, end: 100 },
            bound,
            topic: Some(ID),
            tombstones: Some(Duration::from_secs(24 * 3600)),
        };
        let now = Timestamp::from_millis(30 * HOUR);
        assert_eq!(
            judge(Some(&Checkpoint { offset, topic, as_of }), &facts, Some(now)),
            expected,
            "{offset} {topic:?} {as_of:?}"
        );
    }

    #[test]
    fn each_trouble_is_told_from_the_others() {
        let rebuild = Standing::Rebuild;
        check(50, Some(ID), Some(29), 100, Standing::Tail(50));
        check(100, Some(ID), Some(29), 100, Standing::Tail(100));
        check(10, Some(ID), Some(29), 100, Standing::Tail(10));
        check(9, Some(ID), Some(29), 100, rebuild(StoreTrouble::Trimmed));
        check(101, Some(ID), Some(29), 100, rebuild(StoreTrouble::Truncated));
        // A table is never ahead of what its group has committed.
        check(60, Some(ID), Some(29), 59, rebuild(StoreTrouble::Truncated));
        check(50, Some(OTHER), Some(29), 100, rebuild(StoreTrouble::Recreated));
        check(500, Some(OTHER), Some(0), 100, rebuild(StoreTrouble::Recreated));
        check(50, Some(ID), Some(5), 100, rebuild(StoreTrouble::Expired));
        check(50, Some(ID), Some(7), 100, Standing::Tail(50));
        check(100, Some(ID), Some(0), 100, Standing::Tail(100));
        // Of a store of format 1 only the offset is known.
        check(50, None, None, 100, Standing::Tail(50));
        check(50, Some(ID), Some(31), 100, Standing::Tail(50));
    }

    #[test]
    fn what_is_not_known_is_not_held_against_a_store() {
        let facts = LogFacts { log: Ends { start: 0, end: 9 }, bound: 9, topic: None, tombstones: None };
        let stored = Checkpoint { offset: 3, topic: Some(ID), as_of: Some(Timestamp::from_millis(0)) };
        assert_eq!(judge(Some(&stored), &facts, Some(Timestamp::from_millis(i64::MAX))), Standing::Tail(3));
        assert_eq!(judge(Some(&stored), &facts, None), Standing::Tail(3));
        assert_eq!(judge(None, &facts, None), Standing::New);
    }
}
