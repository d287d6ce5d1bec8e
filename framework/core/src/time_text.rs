//! Moments as people and files write them.

use std::str::FromStr;

use thiserror::Error;

use crate::time::Timestamp;

/// The text is no moment.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
#[error("expected a time such as 2013-06-30, 2013-06-30T12:00:00Z, 2013-06-30T14:00:00+02:00, or milliseconds since 1970")]
pub struct NoTimestamp;

/// A date (its beginning in UTC), RFC 3339 with optional seconds and fractions, or milliseconds since 1970.
impl FromStr for Timestamp {
    type Err = NoTimestamp;

    fn from_str(text: &str) -> Result<Timestamp, NoTimestamp> {
        text.parse::<i64>().ok().or_else(|| written(text)).map(Timestamp::from_millis).ok_or(NoTimestamp)
    }
}

fn written(text: &str) -> Option<i64> {
    // RFC 3339 allows a space, for readability.
    let (date, rest) = text.split_once(['T', ' ']).unwrap_or((text, "00:00Z"));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_as_they_are_written() {
        let check = |text: &str, millis: i64| assert_eq!(text.parse().map(Timestamp::as_millis), Ok(millis), "{text}");
        check("0", 0);
        check("1372593600000", 1_372_593_600_000);
        check("1970-01-01T00:00:00Z", 0);
        check("2013-06-30", 1_372_550_400_000);
        check("2013-06-30T12:00:00Z", 1_372_593_600_000);
        check("2013-06-30 12:00:00Z", 1_372_593_600_000);
        check("2013-06-30T12:00Z", 1_372_593_600_000);
        check("2013-06-30T14:00:00+02:00", 1_372_593_600_000);
        check("2013-06-30T06:30-05:30", 1_372_593_600_000);
        check("2000-02-29T23:59:59.25Z", 951_868_799_250);
        check("1969-12-31T23:59:59.999Z", -1);
        for wrong in
            ["yesterday", "2013-02-29", "2013-06-30T24:00:00Z", "2013-06-30T12:00:00", "13-06-30", "2013-6-30", "+7d", ""]
        {
            assert_eq!(wrong.parse::<Timestamp>(), Err(NoTimestamp), "{wrong}");
        }
    }

    #[test]
    fn what_is_shown_can_be_read() {
        for millis in [0, 1_357_016_400_000, 951_827_696_789, -1, 4_107_542_400_000] {
            let time = Timestamp::from_millis(millis);
            assert_eq!(time.to_string().parse(), Ok(time));
        }
    }
}
