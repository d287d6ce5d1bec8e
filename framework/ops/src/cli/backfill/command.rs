use clap::{Arg, ArgAction, Command};

use crate::cli::flags::{cluster_flags, run_flags};
use crate::cli::output::output_flag;

pub(in crate::cli) fn command(app: &str) -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    let value = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).allow_hyphen_values(true).help(help)
    };
    let id = || Arg::new("run-id").value_name("ID").required(true).help("The run, as `backfill list` shows it");
    let about = |name: &'static str, about: &'static str| cluster_flags(Command::new(name).about(about));
    run_flags(Command::new("backfill").about("Replay a range of the inputs with the same code, beside the live run"))
        .args_conflicts_with_subcommands(true)
        .arg(value("from", "T|earliest|OFFSETS", "Where the range begins: a time, or topic:partition=offset,..."))
        .arg(value("to", "T|now|OFFSETS", "Where it ends, itself not in it"))
        .arg(value("state-from", "RUN", "Begin where this run ended, with the state it left: for running totals and what else reaches back without bound"))
        .arg(value("inputs", "A,B", "Read only these inputs"))
        .arg(value("input", "INPUT=FILE", "Read this file in place of an input's topic: INPUT=PATH[,key=COLUMN][,time=COLUMN]").action(ArgAction::Append))
        .arg(value("mode", "MODE", "emit results, state-only, or diff: compare with the outputs there are").value_parser(["emit", "state-only", "diff"]))
        .arg(value("output-suffix", "S", "Write results to topics named like the outputs with this behind"))
        .arg(flag("same-output", "Write results into the outputs themselves; needs --yes-same-output, too"))
        .arg(flag("yes-same-output", "Yes: readers of the outputs see time go back, and results twice"))
        .arg(value("warmup", "D", "Read so much before the range for the state it needs; by default what the topology says"))
        .arg(value("finish", "HOW", "At the end: keep-open windows, or close-windows").value_parser(["keep-open", "close-windows"]))
        .arg(value("outputs", "A,B", "Only these outputs count, topics and sinks"))
        .arg(value("allow-sinks", "A,B", "Deliver to these sinks although they forbid replays"))
        .arg(value("id", "ID", "Name of the run; the same again resumes it, or joins in the work"))
        .arg(value("parallel", "N", "Worker threads, as --workers"))
        .arg(value("max-rate", "R", "Input records a second at most, by this process"))
        .arg(value("differences", "FILE", "Write every difference as a JSON line"))
        .arg(flag("then-live", "Do not end: follow the live run, take over from it at an agreed cut, and go on in its place; with --input, --to is the event time at which topics take over from files"))
        .arg(flag("dry-run", "Show the plan and stop"))
        .arg(flag("no-digest", "Do not read the results once more for the report's digest of them"))
        .arg(value("report", "FORMAT", "The report at the end, with --dry-run the plan").value_parser(["text", "json"]))
        .subcommand(about("list", "The runs there are").arg(output_flag(&["text", "json"])))
        .subcommand(about("status", "How a run stands").arg(id()).arg(output_flag(&["text", "json"])))
        .subcommand(about("cancel", "Give a run up: whoever works on it stops").arg(id()))
        .subcommand(about("clean", "Remove what a run has of its own: topics, group, state, plan").arg(id()))
        .after_help(format!(
            "Examples:\n  {app} backfill --from 2024-06-01 --to 2024-07-01 --mode diff\n  {app} backfill --from earliest --to now --output-suffix .v2 --id v2 --parallel 4\n  \
             {app} backfill --id v2\n  {app} backfill --from -7d --to now --mode emit --output-suffix .again --dry-run\n  {app} backfill --input orders=orders.csv,key=customer,time=at --mode state-only --id try\n  {app} backfill status v2\n  \
             {app} backfill --from earliest --then-live --id v2 --same-output --yes-same-output\n\n\
             A range of time is one of event time. Exit codes with --mode diff: 0 no difference, 1 some, 2 the run failed."
        ))
}
