use clap::{Arg, ArgAction, ArgGroup, Command};

use super::flags::{cluster_flags, global_flags, run_flags};
use super::output::output_flag;
use super::spec::AppSpec;

/// The whole command line of an application.
pub(super) fn command(spec: &AppSpec) -> Command {
    let app = spec.name;
    let command = Command::new(app)
        .version(concat!("(Headwater ", env!("CARGO_PKG_VERSION"), ")"))
        .about("A stream processor on Kafka")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help(format!(
            "Examples:\n  {app} run --bootstrap broker:9092\n  {app} run --embedded\n  {app} topology --output mermaid\n  \
             {app} state list --state-dir ./state\n  {app} backfill --from 2024-06-01 --to 2024-07-01 --mode diff\n  {app} reset --bootstrap broker:9092\n  \
             {app} config --set run.workers=4\n  {app} explain HW0003\n\nConfiguration: {app}.toml or --config FILE, then \
             HEADWATER_SECTION__KEY in the environment, then flags."
        ));
    global_flags(command)
        .subcommand(run(app))
        .subcommand(topology(app))
        .subcommand(state(app))
        .subcommand(super::backfill::command(app))
        .subcommand(reset(app))
        .subcommand(config(app))
        .subcommand(explain(app))
        .subcommands(spec.commands.iter().map(|own| own.command.clone()))
}

fn run(app: &str) -> Command {
    let embedded = Arg::new("embedded").long("embedded").action(ArgAction::SetTrue);
    let embedded = embedded.help("Run on a log inside this process instead of Kafka: for trying things out, nothing is kept");
    run_flags(Command::new("run").about("Process records until stopped")).arg(embedded).after_help(format!(
        "Examples:\n  {app} run --bootstrap broker-1:9092,broker-2:9092 --workers 4\n  \
         {app} run --set kafka.rdkafka.security.protocol=SASL_SSL --admin 0.0.0.0:8080\n  \
         {app} run --embedded --admin 127.0.0.1:0\n\n\
         SIGTERM or Ctrl-C commits and leaves the group; a second one stops at once."
    ))
}

fn topology(app: &str) -> Command {
    Command::new("topology")
        .about("Show the topology; needs no broker")
        .arg(output_flag(&["text", "mermaid", "json", "manifest"]))
        .arg(Arg::new("diff").long("diff").value_name("FILE").help(
            "Compare with a manifest kept earlier (--output manifest): every change on a line, exit code 1 if a start would refuse one",
        ))
        .after_help(format!(
            "Examples:\n  {app} topology\n  {app} topology --output mermaid > topology.mmd\n  {app} topology --output manifest > manifest.json\n  \
             {app} topology --diff manifest.json"
        ))
}

fn state(app: &str) -> Command {
    let store = || Arg::new("store").value_name("STORE").required(true).help("The store's name, as `state list` shows it");
    let limit = || Arg::new("limit").long("limit").value_name("N").help("The most entries to show (100)");
    let ask = || {
        Arg::new("ask")
            .long("admin")
            .value_name("HOST:PORT")
            .help("Ask a running process instead of reading a stopped one's directory")
    };
    let with = |command: Command| cluster_flags(command).arg(ask());
    let list = Command::new("list").about("Stores by task: sizes, changelog offsets");
    let get = Command::new("get").about("The entries of one key").arg(store()).arg(limit());
    let get = get
        .arg(Arg::new("key").value_name("KEY").required(true).help("The key: text for keys that are strings, JSON for others"));
    let range = Command::new("range").about("Entries in the order of the store").arg(store()).arg(limit());
    let bound =
        |name: &'static str, help: &'static str| Arg::new(name).long(name).value_name("KEY").allow_hyphen_values(true).help(help);
    let range = range.arg(bound("from", "First key; in windows and timers a time in milliseconds since 1970"));
    let range = range.arg(bound("to", "Where to end, itself not included"));
    Command::new("state")
        .about("Show what the stores hold, as JSON lines")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(with(list))
        .subcommand(with(get))
        .subcommand(with(range))
        .after_help(format!(
            "Examples:\n  {app} state list --state-dir ./state\n  {app} state get totals EWR\n  {app} state range totals --limit 10 --admin 127.0.0.1:8080\n\n\
             A stopped instance is read from its state directory, a running one is asked with --admin."
        ))
}

fn reset(app: &str) -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    let value = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).allow_hyphen_values(true).help(help)
    };
    let targets = ["to-earliest", "to-latest", "to-offset", "to-datetime", "by-duration", "shift-by"];
    cluster_flags(Command::new("reset").about("Start over: positions, internal topics, local state; shows what it would do unless --yes"))
        .arg(value("inputs", "A,B", "Only these inputs' positions; all by default"))
        .arg(flag("to-earliest", "Read inputs from the beginning (the default)"))
        .arg(flag("to-latest", "Read inputs from their end as of now"))
        .arg(value("to-offset", "N", "Read every partition from this offset"))
        .arg(value("to-datetime", "TIME", "Read from the first record of this time, such as 2013-06-30T12:00:00Z"))
        .arg(value("by-duration", "D", "Read from so long ago, such as 2h"))
        .arg(value("shift-by", "N", "Move every position by so many offsets; negative goes back"))
        .group(ArgGroup::new("target").args(targets).multiple(false))
        .arg(flag("outputs", "Delete the output topics, too"))
        .arg(flag("yes", "Do it"))
        .after_help(format!(
            "Examples:\n  {app} reset --bootstrap broker:9092 --state-dir ./state\n  {app} reset --bootstrap broker:9092 --state-dir ./state --yes\n  \
             {app} reset --to-datetime 2024-01-01T00:00:00Z --outputs --yes\n\nStop every process of the application first."
        ))
}

fn config(app: &str) -> Command {
    run_flags(Command::new("config").about("Show every setting in force and where it came from"))
        .arg(output_flag(&["text", "json"]))
        .after_help(format!("Examples:\n  {app} config\n  {app} config --config other.toml --output json"))
}

fn explain(app: &str) -> Command {
    Command::new("explain")
        .about("Explain an error code: what happened, why, what to do")
        .arg(Arg::new("code").value_name("CODE").help("The code, such as HW0003; without it, all codes are listed"))
        .after_help(format!("Examples:\n  {app} explain HW0003\n  {app} explain"))
}
