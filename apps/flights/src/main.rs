//! The `flights` binary: the framework's commands, and two of its own to load the data and to show the results.

use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use flights::{demo, load, topology};
use headwater::{App, CliError, Session, cluster_flags, run_flags};

fn main() -> ExitCode {
    let partitions = Arg::new("partitions").long("partitions").value_name("N").value_parser(value_parser!(i32).range(1..));
    let partitions = partitions.default_value("4").help("Partitions of the topics flights and airlines");
    let load = Command::new("load").about("Creates the topics flights and airlines and writes the year 2013 into them");
    let demo = Command::new("demo").about("Loads, processes everything, and shows the results; without --bootstrap in memory");
    let with_change = Arg::new("with-change").long("with-change").action(ArgAction::SetTrue);
    let with_change = with_change.help("Replay June with a changed function, too, and show what differs");
    App::new("flights", topology)
        .seed(|log| load::load(log, load::DEFAULT_PARTITIONS, &mut |_, _| ()).map(drop).map_err(failed))
        .command(cluster_flags(load).arg(partitions.clone()), load_command)
        .command(run_flags(demo).arg(partitions).arg(with_change), demo_command)
        .main()
}

fn load_command(session: &Session<'_>, matches: &ArgMatches) -> Result<(), CliError> {
    let report = demo::load_with_bar(session.kafka()?.as_ref(), partitions(matches)).map_err(failed)?;
    eprintln!(
        "loaded {} flights and {} airlines into {} partitions each; next: flights run --bootstrap {}",
        report.flights,
        report.airlines,
        report.partitions,
        session.settings().kafka.bootstrap
    );
    Ok(())
}

fn demo_command(session: &Session<'_>, matches: &ArgMatches) -> Result<(), CliError> {
    let embedded = !matches!(matches.try_get_one::<String>("bootstrap"), Ok(Some(_)));
    demo::demo(session, partitions(matches), embedded, matches.get_flag("with-change"))
}

fn partitions(matches: &ArgMatches) -> i32 {
    matches.get_one("partitions").copied().unwrap_or(load::DEFAULT_PARTITIONS)
}

fn failed(error: impl std::error::Error) -> CliError {
    CliError::failed(error.to_string())
}
