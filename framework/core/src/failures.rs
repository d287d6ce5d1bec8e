//! Failures in a row: what an application that ends again and again remembers from one start to the next, and how long it waits.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::record::TopicPartition;
use crate::time::Timestamp;

const VERSION: u32 = 1;

/// How long a start waits after failures in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackOff {
    /// Failures from which on a start waits.
    pub after: u32,
    /// The first wait; each further failure doubles it.
    pub first: Duration,
    /// The longest wait.
    pub most: Duration,
}

impl Default for BackOff {
    /// From the second failure on, 1 s to 60 s.
    fn default() -> BackOff {
        BackOff { after: 2, first: Duration::from_secs(1), most: Duration::from_secs(60) }
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFailure {
    /// Its error code, if it has one.
    pub code: Option<String>,
    /// Its message.
    pub message: String,
    /// The record that could not be processed, if it was one.
    pub record: Option<(TopicPartition, i64)>,
}

/// Failures without progress in between.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    version: u32,
    /// How many.
    pub in_a_row: u32,
    /// The last one's code.
    pub code: Option<String>,
    /// The last one's message.
    pub message: String,
    /// When the first was, in milliseconds since 1970.
    pub since_ms: i64,
    /// When the last was.
    pub last_ms: i64,
    /// The record that the last one was about: topic, partition, offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    record: Option<(String, i32, i64)>,
}

impl Failures {
    /// One more. `progressed`: whether anything was committed since the start. Progress elsewhere does not count where it is the same
    /// record again.
    pub fn after(previous: Option<Failures>, progressed: bool, failure: RunFailure, now: Timestamp) -> Failures {
        let record = failure.record.map(|(partition, offset)| (partition.topic.to_string(), partition.partition, offset));
        let goes_on = previous.filter(|previous| !progressed || (record.is_some() && previous.record == record));
        let now = now.as_millis();
        Failures {
            version: VERSION,
            in_a_row: goes_on.as_ref().map_or(0, |previous| previous.in_a_row).saturating_add(1),
            code: failure.code,
            message: failure.message,
            since_ms: goes_on.map_or(now, |previous| previous.since_ms),
            last_ms: now,
            record,
        }
    }

    /// Whether these committed positions are progress over them: anything is, unless they are about a record; then it must be passed.
    pub fn are_over(&self, positions: &[(TopicPartition, i64)]) -> bool {
        self.record.as_ref().is_none_or(|(topic, number, offset)| {
            let passed = |(partition, next): &(TopicPartition, i64)| {
                *partition.topic == **topic && partition.partition == *number && next > offset
            };
            positions.iter().any(passed)
        })
    }

    /// How long a start at `now` waits. The time since the last failure counts: whoever restarts the process may wait, too.
    pub fn wait(&self, rule: &BackOff, now: Timestamp) -> Duration {
        let Some(doublings) = self.in_a_row.checked_sub(rule.after.max(1)) else { return Duration::ZERO };
        let wait = rule.first.saturating_mul(1 << doublings.min(20)).min(rule.most);
        // A clock that went back must not make it longer.
        let waited = u64::try_from(now.as_millis().saturating_sub(self.last_ms)).unwrap_or(0);
        wait.saturating_sub(Duration::from_millis(waited))
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        // Strings and numbers: nothing in it can fail to become JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what [`to_json`](Failures::to_json) wrote; none for anything else.
    pub fn from_json(text: &str) -> Option<Failures> {
        serde_json::from_str(text).ok().filter(|failures: &Failures| failures.version == VERSION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(offset: Option<i64>) -> RunFailure {
        let record = offset.map(|offset| (TopicPartition::new("in", 1), offset));
        RunFailure { code: Some("HW0007".into()), message: "it broke".into(), record }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let rule = BackOff::default();
        let mut failures = None;
        let mut waits = Vec::new();
        for _ in 0..9 {
            let next = Failures::after(failures, false, failure(None), at(100));
            waits.push(next.wait(&rule, at(100)).as_secs());
            failures = Some(next);
        }
        assert_eq!(waits, [0, 1, 2, 4, 8, 16, 32, 60, 60]);
        let failures = failures.unwrap();
        assert_eq!(failures.wait(&rule, at(120)).as_secs(), 40, "the orchestrator's wait counts");
        assert_eq!(failures.wait(&rule, at(1000)).as_secs(), 0);
        assert_eq!(failures.wait(&rule, at(0)).as_secs(), 60, "a clock that went back");
        assert_eq!((failures.in_a_row, failures.since_ms), (9, 100_000));
    }

    #[test]
    fn progress_ends_the_row_unless_it_is_the_same_record_again() {
        let check = |old: Option<i64>, progressed, new: Option<i64>, in_a_row| {
            let one = Failures::after(None, false, failure(old), at(1));
            assert_eq!(
                Failures::after(Some(one), progressed, failure(new), at(2)).in_a_row,
                in_a_row,
                "{old:?} {progressed} {new:?}"
            );
        };
        check(None, false, None, 2);
        check(None, true, None, 1);
        check(Some(7), true, Some(7), 2);
        check(Some(7), true, Some(8), 1);
        check(Some(7), false, Some(8), 2);
        check(Some(7), false, None, 2);
    }

    #[test]
    fn a_record_has_to_be_passed() {
        let positions = |topic: &str, partition, next| vec![(TopicPartition::new(topic, partition), next)];
        let stuck = Failures::after(None, false, failure(Some(7)), at(1));
        assert!(!stuck.are_over(&positions("in", 1, 7)), "7 is the next to be read");
        assert!(!stuck.are_over(&positions("in", 0, 100)) && !stuck.are_over(&positions("other", 1, 100)));
        assert!(stuck.are_over(&positions("in", 1, 8)));
        assert!(Failures::after(None, false, failure(None), at(1)).are_over(&positions("in", 0, 1)));
    }

    #[test]
    fn reads_version_1_and_nothing_else() {
        let text =
            r#"{"version":1,"in_a_row":3,"code":"HW0007","message":"it broke","since_ms":1,"last_ms":2,"record":["in",1,7]}"#;
        let failures = Failures::from_json(text).unwrap();
        assert_eq!(failures.to_json(), text);
        assert_eq!(failures.in_a_row, 3);
        assert_eq!(Failures::from_json(&text.replace("\"version\":1", "\"version\":2")), None);
        assert_eq!(Failures::from_json("half a fi"), None);
    }
}
