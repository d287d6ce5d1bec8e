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
    if let Ok(millis) = text.parse::<u64>() {
        return i64::try_from(millis).map(Timestamp::from_millis).map_err(|_| EXPECTED);
    }
    if let Some(ago) = text.strip_prefix('-') {
        return <Duration as Text>::parse(ago).map(|ago| now - ago).map_err(|_| EXPECTED);
    }
    written(text).map(Timestamp::from_millis).ok_or(EXPECTED)
}

fn written(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once('T').unwrap_or((text, "00:00Z"));
    let (time, offset) = match rest.strip_suffix('Z') {
        Some(time) => (time, 0),
        None => {
            let (time, sign) = rest.rfind(['+', '-']).map(|at| rest.split_at(at))?;
            let (hours, minutes) = sign.get(1..)?.split_once(':')?;
            let minutes = digits(hours, 2)? * 60 + digits(minutes, 2)?;
            (time, if sign.starts_with('-') { -minutes } else { minutes })
        }
    };
    let mut date = date.splitn(3, '-');
    let (year, month, day) = (digits(date.next()?, 4)?, digits(date.next()?, 2)?, digits(date.next()?, 2)?);
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut clock = clock.splitn(3, ':');
    let (hour, minute) = (digits(clock.next()?, 2)?, digits(clock.next()?, 2)?);
    let second = clock.next().map_or(Some(0), |second| digits(second, 2))?;
    let in_range = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    if !in_range || hour > 23 || minute > 59 || second > 59 || offset.abs() >= 24 * 60 {
        return None;
    }
    let millis = digits(format!("{fraction:0<3}").get(..3)?, 3)?;
    Some((((days_since_1970(year, month, day) * 24 + hour) * 60 + minute - offset) * 60 + second) * 1000 + millis)
}

/// So many digits, and nothing else.
fn digits(text: &str, count: usize) -> Option<i64> {
    (text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// In the Gregorian calendar. Years begin in March here, so that a leap day is the last day of one.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// A moment as RFC 3339 in UTC, to the second; the beginning and the end of time in words.
pub(super) fn show(time: Timestamp) -> String {
    if time == Timestamp::MIN || time == Timestamp::MAX {
        return String::from(if time == Timestamp::MIN { "the beginning" } else { "the end" });
    }
    let seconds = time.as_millis().div_euclid(1000);
    let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // The inverse of `days_since_1970`, by the same calendar.
    let shifted = day + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let of_years = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * of_years + of_years / 4 - of_years / 100);
    let part = (5 * of_year + 2) / 153;
    let (month, date) = (if part < 10 { part + 3 } else { part - 9 }, of_year - (153 * part + 2) / 5 + 1);
    let year = of_years + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{date:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

#[expect(clippy::disallowed_methods, reason = "the shell is where the clock is asked")]
pub(super) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    Timestamp::from_millis(since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
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
        check("2013-06-30T12:00Z", 1_372_593_600_000);
        check("2013-06-30T14:00:00+02:00", 1_372_593_600_000);
        check("2013-06-30T06:30-05:30", 1_372_593_600_000);
        check("2000-02-29T23:59:59.25Z", 951_868_799_250);
        check("1969-12-31T23:59:59.999Z", -1);
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
            assert_eq!(written(text).map(|millis| show(Timestamp::from_millis(millis))).as_deref(), Some(text));
        }
        assert_eq!(show(Timestamp::MAX), "the end");
    }
}
