use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A span of event time, `[from, to)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeRange {
    /// The first moment in it.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
}

impl TimeRange {
    /// All of time.
    pub const ALL: TimeRange = TimeRange { from: Timestamp::MIN, to: Timestamp::MAX };

    /// Whether a moment is in it. [`Timestamp::MAX`] is in a range that has no end.
    pub fn contains(&self, time: Timestamp) -> bool {
        time >= self.from && (time < self.to || self.to == Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_contains_its_start_and_not_its_end() {
        let at = Timestamp::from_millis;
        let range = TimeRange { from: at(10), to: at(20) };
        assert_eq!([9, 10, 19, 20].map(|millis| range.contains(at(millis))), [false, true, true, false]);
        assert!(TimeRange::ALL.contains(Timestamp::MIN) && TimeRange::ALL.contains(Timestamp::MAX));
    }
}
