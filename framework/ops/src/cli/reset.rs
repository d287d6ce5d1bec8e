//! `reset`: starting over. Shows what it would do; does it with `--yes`.

use std::io::Write;
use std::time::Duration;

use clap::ArgMatches;
use headwater_core::Timestamp;
use headwater_runtime::{Reset, ResetError, ResetRequest, RunError, Target, wall_clock};

use super::output::print;
use super::spec::AppSpec;
use super::times::moment;
use crate::config::{Settings, Text};
use crate::error::CliError;
use crate::explain::codes;
use crate::run_error::run_error;

pub(super) fn reset(spec: &AppSpec, settings: &Settings, matches: &ArgMatches, out: &mut dyn Write) -> Result<(), CliError> {
    let inputs = matches.get_one::<String>("inputs").map(|names| names.split(',').map(|name| name.trim().to_owned()).collect());
    let request = ResetRequest { inputs, target: target(matches, wall_clock())?, outputs: matches.get_flag("outputs") };
    let blueprint =
        (spec.surroundings.blueprint)(spec.name).map_err(|reason| CliError::failed(reason).with_code(codes::INVALID_TOPOLOGY))?;
    // Locked from here on: a process that runs on this directory is noticed before anything is decided.
    let local = (spec.surroundings.local)(settings, spec.name)?;
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
            moment(time, now).map_err(|expected| CliError::usage(format!("--to-datetime {time}: {expected}")))?,
        ));
    }
    if let Some(ago) = text("by-duration") {
        let ago =
            <Duration as Text>::parse(ago).map_err(|expected| CliError::usage(format!("--by-duration {ago}: {expected}")))?;
        return Ok(Target::Time(now - ago));
    }
    Ok(Target::Earliest)
}

fn reset_error(error: ResetError) -> CliError {
    match error {
        ResetError::InUse { .. } => CliError::failed(error.to_string()).with_code(codes::GROUP_IN_USE),
        ResetError::UnknownInput { .. } | ResetError::OutputIsInput { .. } | ResetError::RunsLeft { .. } => {
            CliError::usage(error.to_string())
        }
        ResetError::Run(RunError::Log(error)) => error.into(),
        ResetError::Run(error) => run_error(error),
        ResetError::Store(error) => error.into(),
    }
}
