//! Flags that stand for settings. They only name keys: reading the values is the configuration's business, so that
//! a wrong one is refused in the same words wherever it was written.

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::config::Entry;
use crate::error::CliError;

/// A flag, the key it sets, its value's name and its help.
struct Flag(&'static str, &'static str, &'static str, &'static str);

const LOG: [Flag; 2] = [
    Flag("log-format", "log.format", "FORMAT", "Log lines as text or json"),
    Flag("log-filter", "log.filter", "FILTER", "What to log: a level, or levels per module"),
];
const CLUSTER: [Flag; 2] = [
    Flag("bootstrap", "kafka.bootstrap", "HOST:PORT,...", "Addresses of Kafka brokers"),
    Flag("state-dir", "state.dir", "DIR", "Directory of the stores"),
];
const RUN: [Flag; 2] = [
    Flag("admin", "admin.listen", "HOST:PORT|off", "Where the admin pages are served"),
    Flag("workers", "run.workers", "N", "Worker threads"),
];

const AT_LEAST_ONCE: &str = "at-least-once";
const ACCEPT: &str = "accept-topology-change";

/// `--config`, `--set` and the log flags, on every command.
pub(super) fn global_flags(command: Command) -> Command {
    let config = Arg::new("config").long("config").value_name("FILE").help("Configuration file").global(true);
    let set = Arg::new("set").long("set").value_name("KEY=VALUE").action(ArgAction::Append).global(true);
    let set = set.help("Sets one configuration key; see the config command for all of them");
    command.arg(config).arg(set).args(LOG.iter().map(|flag| arg(flag).global(true)))
}

/// Adds `--bootstrap` and `--state-dir`: for commands that talk to Kafka or open state.
pub fn cluster_flags(command: Command) -> Command {
    command.args(CLUSTER.iter().map(arg))
}

/// Adds every flag that `run` has.
pub fn run_flags(command: Command) -> Command {
    let at_least_once = Arg::new(AT_LEAST_ONCE).long(AT_LEAST_ONCE).action(ArgAction::SetTrue);
    let at_least_once = at_least_once.help("Commit without transactions: faster, but a crash repeats records");
    let accept = Arg::new(ACCEPT).long(ACCEPT).value_name("NAME").action(ArgAction::Append);
    let accept =
        accept.help("Take over the state of this store or repartition although its types changed; say it once, see HW0020");
    cluster_flags(command).args(RUN.iter().map(arg)).arg(at_least_once).arg(accept)
}

fn arg(Flag(name, _, value, help): &Flag) -> Arg {
    Arg::new(*name).long(*name).value_name(*value).help(*help)
}

/// What the flags of this call set, `--set` first: the named flag is the more deliberate one.
pub(super) fn entries(matches: &ArgMatches) -> Result<Vec<Entry>, CliError> {
    let mut entries = Vec::new();
    for assignment in matches.get_many::<String>("set").into_iter().flatten() {
        let (key, value) = assignment
            .split_once('=')
            .ok_or_else(|| CliError::usage(format!("--set {assignment}: expected KEY=VALUE, such as --set run.workers=4")))?;
        entries.push(Entry::flag("--set", key.trim(), value));
    }
    for Flag(name, key, ..) in LOG.iter().chain(&CLUSTER).chain(&RUN) {
        // A command without this flag is no error here.
        if let Ok(Some(value)) = matches.try_get_one::<String>(name) {
            entries.push(Entry::flag(&format!("--{name}"), key, value));
        }
    }
    if let Ok(Some(true)) = matches.try_get_one::<bool>(AT_LEAST_ONCE) {
        entries.push(Entry::flag("--at-least-once", "run.guarantee", AT_LEAST_ONCE));
    }
    // A command without this flag is no error here.
    if let Ok(Some(names)) = matches.try_get_many::<String>(ACCEPT) {
        let names: Vec<&str> = names.map(String::as_str).collect();
        entries.push(Entry::flag(&format!("--{ACCEPT}"), "run.accept_topology_change", &names.join(",")));
    }
    Ok(entries)
}
