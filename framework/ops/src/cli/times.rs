//! Moments as people write them.

use std::time::Duration;

use headwater_core::Timestamp;

use crate::config::Text;

const EXPECTED: &str = "expected a time such as 2013-06-30, 2013-06-30T12:00:00Z, 2013-06-30T14:00:00+02:00, -7d (so long ago), now, or milliseconds since 1970";

/// A date (its beginning in UTC), RFC 3339 with optional seconds and fractions, `now`, `-7d` for so long before `now`, or milliseconds since 1970.
pub(super) fn moment(text: &str, now: Timestamp) -> Result<Timestamp, &'static str> {
    if text == "now" {
        return Ok(now);
    }
    if let Some(ago) = text.strip_prefix('-') {
        return <Duration as Text>::parse(ago).map(|ago| now - ago).map_err(|_| EXPECTED);
    }
    text.parse().map_err(|_| EXPECTED)
}

/// A moment as RFC 3339 in UTC, to the second; the beginning and the end of time in words.
pub(super) fn show(time: Timestamp) -> String {
    if time == Timestamp::MIN || time == Timestamp::MAX {
        return String::from(if time == Timestamp::MIN { "the beginning" } else { "the end" });
    }
    let seconds = time.as_millis().div_euclid(1000);
    let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // In the Gregorian calendar; years begin in March here, so that a leap day is the last day of one.
    let shifted = day + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let of_years = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * of_years + of_years / 4 - of_years / 100);
    let part = (5 * of_year + 2) / 153;
    let (month, date) = (if part < 10 { part + 3 } else { part - 9 }, of_year - (153 * part + 2) / 5 + 1);
    let year = of_years + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{date:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_as_people_write_them() {
        let now = Timestamp::from_millis(10_000_000_000);
        let check = |text: &str, millis: i64| assert_eq!(moment(text, now).map(Timestamp::as_millis), Ok(millis), "{text}");
        check("0", 0);
        check("1372593600000", 1_372_593_600_000);
        check("1970-01-01T00:00:00Z", 0);
        check("2013-06-30", 1_372_550_400_000);
        check("2013-06-30T12:00:00Z", 1_372_593_600_000);
        check("now", 10_000_000_000);
        check("-7d", 10_000_000_000 - 7 * 86_400_000);
        check("-90s", 10_000_000_000 - 90_000);
        let wrong =
            ["yesterday", "2013-02-29", "2013-06-30T24:00:00Z", "2013-06-30T12:00:00", "-7", "13-06-30", "2013-6-30", "+7d", ""];
        for wrong in wrong {
            assert!(moment(wrong, now).is_err(), "{wrong}");
        }
    }

    #[test]
    fn shows_what_it_reads() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2013-06-30T12:34:56Z",
            "2000-02-29T23:59:59Z",
            "1969-12-31T23:59:59Z",
            "2100-03-01T00:00:00Z",
        ] {
            assert_eq!(text.parse().map(show).as_deref(), Ok(text));
        }
        assert_eq!(show(Timestamp::MAX), "the end");
    }
}
