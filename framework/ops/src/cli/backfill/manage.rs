//! Looking at runs, giving them up, removing what they left.

use std::io::Write;

use clap::ArgMatches;
use headwater_core::bounded::{RunPhase, RunRecord};
use headwater_runtime::backfill::{BackfillError, Registry, Standing, abandon, clean};
use serde_json::{Value, json};

use super::{backfill_error, blueprint, run_blueprint, show};
use crate::cli::output::{OutputFormat, output_format, print};
use crate::cli::spec::AppSpec;
use crate::cli::times;
use crate::config::Settings;
use crate::error::CliError;

pub(super) fn manage(
    spec: &AppSpec,
    settings: &Settings,
    command: &str,
    matches: &ArgMatches,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let topology = blueprint(spec, spec.name)?;
    let log = (spec.surroundings.log)(settings)?;
    let registry = Registry::of(&topology, log.as_ref());
    if command == "list" {
        return list(&registry, matches, out);
    }
    let Some(id) = matches.get_one::<String>("run-id") else { return Err(CliError::usage("which run?")) };
    let record = match registry.run(id) {
        Err(BackfillError::NoSuchRun { .. })
            if command == "clean" && !abandon(&topology, log.as_ref(), id).map_err(backfill_error)?.is_empty() =>
        {
            return print(out, &format!("{id} had no plan yet; the rows it had of files are removed\n"));
        }
        record => record.map_err(backfill_error)?,
    };
    let named = run_blueprint(spec, &record)?;
    match command {
        "status" => {
            let standing = registry.standing(record, &named).map_err(backfill_error)?;
            match output_format(matches) {
                OutputFormat::Json => print(out, &format!("{:#}\n", status_json(&standing))),
                OutputFormat::Text => print(out, &status_text(&standing)),
            }
        }
        "cancel" => {
            let record = registry.end(id, RunPhase::Cancelled).map_err(backfill_error)?;
            let told = match record.phase {
                RunPhase::Cancelled => format!(
                    "{id} is cancelled: whoever works on it stops within seconds. `backfill clean {id}` removes what it has\n"
                ),
                phase => format!("{id} is over already: {}\n", phase.as_str()),
            };
            print(out, &told)
        }
        _ => {
            let local = (spec.surroundings.local)(settings, &record.app)?;
            let mut lines: Vec<String> =
                local.iter().map(|local| format!("removed  local state {}", local.path.display())).collect();
            let remove = || local.map_or(Ok(()), |local| (local.remove)());
            let cleaned = clean(&registry, &record, &named, log.as_ref(), remove).map_err(backfill_error)?;
            lines.extend(cleaned.topics.iter().map(|topic| format!("removed  topic {topic}")));
            lines.extend(cleaned.kept.iter().map(|topic| format!("kept     topic {topic}: its results")));
            lines.push(format!(
                "{id} is gone. State directories on other machines are not touched: remove {} there, too",
                record.app
            ));
            print(out, &lines.iter().map(|line| format!("{line}\n")).collect::<String>())
        }
    }
}

fn list(registry: &Registry<'_>, matches: &ArgMatches, out: &mut dyn Write) -> Result<(), CliError> {
    let (runs, in_force) = registry.overview().map_err(backfill_error)?;
    if output_format(matches) == OutputFormat::Json {
        return print(out, &format!("{:#}\n", Value::from(runs.values().map(record_json).collect::<Vec<_>>())));
    }
    if runs.is_empty() {
        return print(out, "no backfills\n");
    }
    let width = runs.keys().map(String::len).max().unwrap_or(0);
    let line = |record: &RunRecord| {
        let phase = if record.app == in_force { "in force" } else { record.phase.as_str() };
        let (from, to) = (times::show(record.says.from), times::show(record.says.to));
        let suffix = record.output_suffix.as_ref().filter(|_| record.then_live);
        let outputs = suffix.map_or_else(String::new, |suffix| format!("  outputs with {suffix}"));
        format!("{:width$}  {:9}  {:10}  {from} to {to}{outputs}\n", record.id, phase, record.mode.as_str())
    };
    print(out, &runs.values().map(line).collect::<String>())
}

fn record_json(record: &RunRecord) -> Value {
    json!({
        "id": record.id,
        "phase": record.phase.as_str(),
        "mode": record.mode.as_str(),
        "from": times::show(record.says.from),
        "to": times::show(record.says.to),
        "planned_at": times::show(record.made_at),
        "asked": record.asked,
        "offsets": record.offsets(),
        "outputs": record.outputs,
        "sinks": record.sinks,
    })
}

fn status_json(standing: &Standing) -> Value {
    let mut json = record_json(&standing.record);
    json["done"] = standing.progress.done.into();
    json["total"] = standing.progress.total.into();
    json["open_partitions"] = standing.progress.open.into();
    json["workers"] =
        standing.members.iter().map(|member| format!("{} at {}", member.id, member.host)).collect::<Vec<_>>().into();
    json
}

fn status_text(Standing { record, progress, members }: &Standing) -> String {
    let percent = (progress.done * 100).checked_div(progress.total).unwrap_or(100);
    let mut text = show::plan(record, &[], 1, None);
    text.push_str(&format!("  phase     {}, planned {}\n", record.phase.as_str(), times::show(record.made_at)));
    text.push_str(&format!(
        "  progress  {} of {} offsets ({percent} %), {} partitions open\n",
        progress.done, progress.total, progress.open
    ));
    for member in members {
        text.push_str(&format!("  worker    {} at {}\n", member.id, member.host));
    }
    text
}
