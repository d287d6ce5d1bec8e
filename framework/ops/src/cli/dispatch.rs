use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ArgMatches;

use super::backfill::backfill;
use super::command::command;
use super::flags;
use super::output::{OutputFormat, output_format, print};
use super::reset::reset;
use super::run::run;
use super::spec::AppSpec;
use super::state::state;
use super::topology::topology;
use super::usage::{NotACommand, sort};
use crate::config::{self, Effective, LogFilter, Settings, Sources};
use crate::error::CliError;
use crate::explain;
use crate::logging;

/// What a process is called with.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The arguments, the program's name first.
    pub arguments: Vec<OsString>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// The working directory, for configuration files.
    pub directory: PathBuf,
}

impl Invocation {
    /// That of this process.
    pub fn of_this_process() -> Invocation {
        let text = |text: OsString| text.to_string_lossy().into_owned();
        Invocation {
            arguments: std::env::args_os().collect(),
            environment: std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect(),
            directory: PathBuf::from("."),
        }
    }
}

/// The whole `main` of an application.
pub fn main(spec: AppSpec) -> ExitCode {
    match dispatch(&spec, &Invocation::of_this_process(), &mut io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error.render(spec.name));
            ExitCode::from(error.exit)
        }
    }
}

/// Does what `invocation` asks for and writes its data to `out`.
pub fn dispatch(spec: &AppSpec, invocation: &Invocation, out: &mut dyn Write) -> Result<(), CliError> {
    let matches = match command(spec).try_get_matches_from(&invocation.arguments) {
        Ok(matches) => matches,
        Err(error) => {
            return match sort(&error) {
                NotACommand::Help(help) => print(out, &help),
                NotACommand::Nothing(help) => Err(CliError::usage(format!("no command given\n\n{help}"))),
                NotACommand::Wrong(error) => Err(error),
            };
        }
    };
    let Some((name, matches)) = matches.subcommand() else {
        return Err(CliError::usage("no command given"));
    };
    match name {
        "topology" => topology(spec, invocation, matches, out),
        "explain" => explain(spec, matches, out),
        "config" => show_config(&load(spec, invocation, matches)?, matches, out),
        "run" => run(spec, load(spec, invocation, matches)?, matches),
        "state" => with_log(spec, invocation, matches, |settings| state(spec, settings, matches, out)),
        // It is the live process, once it has taken over.
        "backfill" if matches.get_flag("then-live") => {
            let settings = load(spec, invocation, matches)?.settings;
            logging::init(&settings.log)?;
            backfill(spec, &settings, matches, out)
        }
        "backfill" => with_log(spec, invocation, matches, |settings| backfill(spec, settings, matches, out)),
        "reset" => with_log(spec, invocation, matches, |settings| reset(spec, settings, matches, out)),
        own => {
            let settings = load(spec, invocation, matches)?.settings;
            logging::init(&settings.log)?;
            let found = spec.commands.iter().find(|candidate| candidate.command.get_name() == own);
            let command = found.ok_or_else(|| CliError::usage(format!("unknown command {own}")))?;
            (command.run)(&settings, matches)
        }
    }
}

fn load(spec: &AppSpec, invocation: &Invocation, matches: &ArgMatches) -> Result<Effective, CliError> {
    config::load(&Sources {
        app: spec.name.to_owned(),
        file: matches.get_one::<String>("config").map(PathBuf::from),
        directory: invocation.directory.clone(),
        environment: invocation.environment.clone(),
        flags: flags::entries(matches)?,
    })
}

/// The deepest subcommand has all flags, the global ones included.
fn deepest(mut matches: &ArgMatches) -> &ArgMatches {
    while let Some((_, inner)) = matches.subcommand() {
        matches = inner;
    }
    matches
}

/// For commands that answer on stdout: the log says only what is amiss, unless told otherwise.
fn with_log(
    spec: &AppSpec,
    invocation: &Invocation,
    matches: &ArgMatches,
    command: impl FnOnce(&Settings) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let mut effective = load(spec, invocation, deepest(matches))?;
    let is_default = |value: &config::EffectiveValue| value.key == "log.filter" && value.origin == config::Origin::Default;
    if effective.values.iter().any(is_default) {
        effective.settings.log.filter = LogFilter::warnings();
    }
    logging::init(&effective.settings.log)?;
    command(&effective.settings)
}

fn show_config(effective: &Effective, matches: &ArgMatches, out: &mut dyn Write) -> Result<(), CliError> {
    match output_format(matches) {
        OutputFormat::Text => {
            print(out, &config::to_text(&effective.values))?;
            let memory = effective.settings.memory()?;
            let rows = memory.rows().map(|(name, value)| format!("  {name}: {value}\n")).concat();
            print(out, &format!("\nMemory, as cut from memory.limit:\n{rows}"))
        }
        OutputFormat::Json => print(out, &format!("{:#}\n", config::to_json(&effective.values))),
    }
}

fn explain(spec: &AppSpec, matches: &ArgMatches, out: &mut dyn Write) -> Result<(), CliError> {
    match matches.get_one::<String>("code") {
        Some(code) => print(out, &explain::find(code)?.text(spec.name)),
        None => {
            let lines = explain::all().iter().map(|page| format!("{}  {}\n", page.code, page.title()));
            print(out, &lines.collect::<String>())
        }
    }
}

#[cfg(test)]
#[path = "dispatch_tests.rs"]
mod tests;
