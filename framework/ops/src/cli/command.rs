use clap::{Arg, ArgAction, Command};

use super::flags::{global_flags, run_flags};
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
             {app} config --set run.workers=4\n  {app} explain HW0003\n\nConfiguration: {app}.toml or --config FILE, then \
             HEADWATER_SECTION__KEY in the environment, then flags."
        ));
    global_flags(command)
        .subcommand(run(app))
        .subcommand(topology(app))
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
        .arg(output_flag(&["text", "mermaid", "json"]))
        .after_help(format!("Examples:\n  {app} topology\n  {app} topology --output mermaid > topology.mmd"))
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
