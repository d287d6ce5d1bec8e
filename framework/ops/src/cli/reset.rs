//! `reset`: starting over. Shows what it would do; does it with `--yes`.

use std::io::Write;
use std::time::Duration;

use clap::ArgMatches;
use headwater_core::Timestamp;
use headwater_runtime::{Reset, ResetError, ResetRequest, RunError, Target};

use super::output::print;
use super::spec::AppSpec;
use crate::config::{Settings, Text};
use crate::error::CliError;
use crate::explain::codes;
use crate::run_error::run_error;

pub(super) fn reset(spec: &AppSpec, settings: &Settings, matches: &ArgMatches, out: &mut dyn Write) -> Result<(), CliError> {
    let inputs = matches.get_one::<String>("inputs").map(|names| names.split(',').map(|name| name.trim().to_owned()).collect());
    let request = ResetRequest { inputs, target: target(matches, now())?, outputs: matches.get_flag("outputs") };
    let blueprint =
        (spec.surroundings.blueprint)().map_err(|reason| CliError::failed(reason).with_code(codes::INVALID_TOPOLOGY))?;
    // Locked from here on: a process that runs on this directory is noticed before anything is decided.
    let local = (spec.surroundings.local)(settings)?;
    let log = (spec.surroundings.log)(settings)?;
    let plan = Reset::plan(&blueprint, log.as_ref(), &request).map_err(reset_error)?;
    let mut lines = plan.lines();
    lines.extend(local.iter().map(|local| format!("remove    local state {}", local.path.display())));
    let done = matches.get_flag("yes");
    let verb = if done { "doing" } else { "would do" };
    print(out, &format!("reset of {} on {}, {verb}:\n", spec.name, settings.kafka.bootstrap))?;
    print(out, &lines.iter().map(|line| format!("  {line}\n")).collect::<String>())?;
    if !done {
        plan.check(log.as_ref()).map_err(reset_error)?;
        return print(out, "nothing was changed; do it with --yes\n");
    }
    plan.carry_out(log.as_ref(), || local.map_or(Ok(()), |local| (local.remove)())).map_err(reset_error)?;
    print(out, "done. State directories on other machines are not touched: remove them, too\n")
}

fn target(matches: &ArgMatches, now: Timestamp) -> Result<Target, CliError> {
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let number = |flag: &str, text: &str| {
        text.parse::<i64>().map_err(|_| CliError::usage(format!("--{flag} {text}: expected a whole number")))
    };
    if matches.get_flag("to-latest") {
        return Ok(Target::Latest);
    }
    if let Some(offset) = text("to-offset") {
        return Ok(Target::Offset(number("to-offset", offset)?));
    }
    if let Some(by) = text("shift-by") {
        return Ok(Target::Shift(number("shift-by", by)?));
    }
    if let Some(time) = text("to-datetime") {
        return Ok(Target::Time(
            datetime(time).map_err(|expected| CliError::usage(format!("--to-datetime {time}: {expected}")))?,
        ));
    }
    if let Some(ago) = text("by-duration") {
        let ago =
            <Duration as Text>::parse(ago).map_err(|expected| CliError::usage(format!("--by-duration {ago}: {expected}")))?;
        return Ok(Target::Time(now - ago));
    }
    Ok(Target::Earliest)
}

/// Milliseconds since 1970, or `2013-06-30T12:00:00Z` with optional fractions of a second, in UTC.
fn datetime(text: &str) -> Result<Timestamp, &'static str> {
    const EXPECTED: &str = "expected a time in UTC such as 2013-06-30T12:00:00Z, or milliseconds since 1970";
    if let Ok(millis) = text.parse() {
        return Ok(Timestamp::from_millis(millis));
    }
    let parse = || -> Option<i64> {
        let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
        let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
        let (year, month, day) = (date.next()??, date.next()??, date.next()??);
        let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
        let mut clock = clock.splitn(3, ':').map(|part| part.parse::<i64>().ok());
        let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next().unwrap_or(Some(0))?);
        let in_range = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
        if !in_range || !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0..60).contains(&second) {
            return None;
        }
        let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
        Some((((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000 + millis)
    };
    parse().map(Timestamp::from_millis).ok_or(EXPECTED)
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

fn reset_error(error: ResetError) -> CliError {
    match error {
        ResetError::InUse { .. } => CliError::failed(error.to_string()).with_code(codes::GROUP_IN_USE),
        ResetError::UnknownInput { .. } | ResetError::OutputIsInput { .. } => CliError::usage(error.to_string()),
        ResetError::Run(RunError::Log(error)) => error.into(),
        ResetError::Run(error) => run_error(error),
        ResetError::Store(error) => error.into(),
    }
}

#[expect(clippy::disallowed_methods, reason = "the shell is where the clock is asked")]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    Timestamp::from_millis(since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times() {
        let check = |text: &str, millis: i64| assert_eq!(datetime(text).map(Timestamp::as_millis), Ok(millis), "{text}");
        check("0", 0);
        check("1372593600000", 1_372_593_600_000);
        check("1970-01-01T00:00:00Z", 0);
        check("2013-06-30T12:00:00Z", 1_372_593_600_000);
        check("2013-06-30T12:00Z", 1_372_593_600_000);
        check("2000-02-29T23:59:59.25Z", 951_868_799_250);
        check("1969-12-31T23:59:59.999Z", -1);
        for wrong in ["yesterday", "2013-02-29T00:00:00Z", "2013-06-30", "2013-06-30T24:00:00Z", "2013-06-30T12:00:00"] {
            assert!(datetime(wrong).is_err(), "{wrong}");
        }
    }
}
