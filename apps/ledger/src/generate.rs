//! `ledger generate`: writes the input.

use clap::builder::RangedU64ValueParser;
use clap::{Arg, ArgMatches, Command, value_parser};
use headwater::{CliError, MemoryLog, Session, cluster_flags};

use crate::load::{Load, LoadError, load};

/// What `run --embedded` finds in its log.
const EMBEDDED: Load = Load { records: 50_000, accounts: 1_000, rate: None, seed: 1, partitions: 4 };

/// The subcommand and its flags.
pub fn command() -> Command {
    let number = |name: &'static str, default: &'static str, help: &'static str| {
        let parser = RangedU64ValueParser::<u64>::new().range(1..);
        Arg::new(name).long(name).value_name("N").value_parser(parser).default_value(default).help(help)
    };
    let rate = Arg::new("rate").long("rate").value_name("R").value_parser(value_parser!(u64));
    let seed = Arg::new("seed").long("seed").value_name("S").value_parser(value_parser!(u64));
    let partitions = Arg::new("partitions").long("partitions").value_name("P").value_parser(value_parser!(i32).range(1..));
    cluster_flags(Command::new("generate").about("Creates the topic transfers and writes the transfers of a seed into it"))
        .arg(number("records", "100000", "How many transfers to write"))
        .arg(number("accounts", "10000", "Over how many accounts"))
        .arg(rate.default_value("0").help("Transfers per second; 0 is as fast as possible"))
        .arg(seed.default_value("1").help("Which transfers; the same for the same seed"))
        .arg(partitions.default_value("4").help("Partitions of the topic, if it is not there yet"))
}

/// Runs it.
///
/// # Errors
/// No broker answers, or refuses.
pub fn run(session: &Session<'_>, matches: &ArgMatches) -> Result<(), CliError> {
    let number = |name: &str| matches.get_one::<u64>(name).copied().unwrap_or_default();
    let what = Load {
        records: number("records"),
        accounts: number("accounts"),
        rate: Some(number("rate")).filter(|rate| *rate > 0),
        seed: number("seed"),
        partitions: matches.get_one("partitions").copied().unwrap_or(EMBEDDED.partitions),
    };
    load(session.kafka()?.as_ref(), &what).map_err(failed)?;
    eprintln!("wrote {} transfers of {} accounts, seed {}", what.records, what.accounts, what.seed);
    Ok(())
}

/// Fills the log of `run --embedded`.
///
/// # Errors
/// The log refuses.
pub fn seed(log: &MemoryLog) -> Result<(), CliError> {
    load(log, &EMBEDDED).map_err(failed)
}

fn failed(error: LoadError) -> CliError {
    match error {
        LoadError::Log(error) => error.into(),
        other => CliError::failed(other.to_string()),
    }
}
