//! Event time: milliseconds since the Unix epoch, in UTC, as Kafka stamps its records.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in event time: milliseconds since 1970-01-01T00:00:00Z. Serialises as that number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Earlier than every record: the value of a watermark that knows nothing yet.
    pub const MIN: Timestamp = Timestamp(i64::MIN);
    /// Later than every record: the watermark of an input that is known to have ended.
    pub const MAX: Timestamp = Timestamp(i64::MAX);

    /// The point `millis` milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Timestamp {
        Timestamp(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The start of the span of length `size` that contains this point, spans being aligned to the epoch.
    pub fn align_down(self, size: Duration) -> Timestamp {
        let size = millis(size).max(1);
        Timestamp(self.0.div_euclid(size).saturating_mul(size))
    }
}

/// Saturating: a watermark at [`Timestamp::MIN`] stays there whatever is taken from it.
impl Sub<Duration> for Timestamp {
    type Output = Timestamp;
    fn sub(self, duration: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub(millis(duration)))
    }
}

/// Saturating, like the subtraction.
impl Add<Duration> for Timestamp {
    type Output = Timestamp;
    fn add(self, duration: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(millis(duration)))
    }
}

/// RFC 3339 in UTC with `Z`; milliseconds only where there are any: `2013-01-01T05:00:00Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Timestamp::MIN => return f.write_str("-inf"),
            Timestamp::MAX => return f.write_str("+inf"),
            _ => {}
        }
        let (days, of_day) = (self.0.div_euclid(86_400_000), self.0.rem_euclid(86_400_000));
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1000 % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match of_day % 1000 {
            0 => f.write_str("Z"),
            ms => write!(f, ".{ms:03}Z"),
        }
    }
}

/// Howard Hinnant's `civil_from_days` (chrono-compatible low-level date algorithms): days since the epoch to a
/// proleptic Gregorian date.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// `n` seconds.
pub const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// `n` minutes.
pub const fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

/// `n` hours.
pub const fn hours(n: u64) -> Duration {
    Duration::from_secs(n * 3600)
}

/// `n` days of 24 hours.
pub const fn days(n: u64) -> Duration {
    Duration::from_secs(n * 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(millis: i64, shown: &str) {
        assert_eq!(Timestamp::from_millis(millis).to_string(), shown);
    }

    #[test]
    fn shows_as_rfc_3339() {
        check(0, "1970-01-01T00:00:00Z");
        check(1_357_016_400_000, "2013-01-01T05:00:00Z");
        check(951_827_696_789, "2000-02-29T12:34:56.789Z");
        check(-1, "1969-12-31T23:59:59.999Z");
        check(i64::MIN, "-inf");
    }

    #[test]
    fn aligns_to_the_epoch_and_saturates() {
        let t = Timestamp::from_millis(-1);
        assert_eq!(t.align_down(seconds(1)), Timestamp::from_millis(-1000));
        assert_eq!(Timestamp::MIN - hours(1), Timestamp::MIN);
        assert_eq!(Timestamp::MAX + hours(1), Timestamp::MAX);
    }
}
