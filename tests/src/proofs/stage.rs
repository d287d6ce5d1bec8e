use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use headwater::{Backlog, Blueprint};
use headwater_core::port::{Log, NewTopic};
use headwater_kafka::KafkaLog;

use super::application::Application;
use super::findings::Findings;
use crate::chaos::oracle;
use crate::cluster::{Cluster, ClusterOptions, Guardian};
use crate::wait::until;

/// For what was written to be processed.
const CONSUMPTION: Duration = Duration::from_secs(600);

/// One broker and the ledger application's input. The order of the fields is that of their ends.
pub(super) struct Stage {
    pub(super) log: KafkaLog,
    pub(super) bootstrap: String,
    pub(super) guardian: Guardian,
    pub(super) partitions: i32,
    program: PathBuf,
    _cluster: Cluster,
}

impl Stage {
    /// `session`: how long the group waits for a silent process.
    pub(super) fn open(program: &Path, partitions: i32, session: Duration) -> Stage {
        let guardian = Guardian::new("headwater-proof-");
        fs::create_dir_all(guardian.directory().join("logs")).expect("creating a directory");
        let session = session.as_millis().to_string();
        let properties =
            vec![("group.consumer.min.session.timeout.ms", session.clone()), ("group.consumer.session.timeout.ms", session)];
        let cluster = Cluster::start(&ClusterOptions { brokers: 1, properties }, guardian.directory(), &guardian);
        let (log, bootstrap) = (cluster.log(), cluster.bootstrap());
        create(&log, ledger::TRANSFERS, partitions, &[("retention.ms", "-1")]);
        Stage { log, bootstrap, guardian, partitions, program: program.to_owned(), _cluster: cluster }
    }

    /// Starts a process of the application on the state directory of this name.
    pub(super) fn start(&self, state: &str, settings: &[String]) -> Application {
        let state = self.guardian.directory().join(state);
        Application::start(&self.program, &self.bootstrap, &state, settings, &self.guardian)
    }

    /// Starts a process with another command than `run`.
    pub(super) fn start_as(&self, command: &[&str], state: &str, settings: &[String]) -> Application {
        let state = self.guardian.directory().join(state);
        Application::start_as(command, &self.program, &self.bootstrap, &state, settings, &self.guardian)
    }

    /// Runs a command to its end. Answers its exit code and what it printed.
    pub(super) fn call(&self, command: &[&str]) -> (i32, String) {
        let output = Command::new(&self.program).args(command).args(["--bootstrap", &self.bootstrap]).output();
        let output = output.unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Waits until at most so many offsets are left to process and commit.
    pub(super) fn wait_for_backlog(&self, at_most: u64, what: &str) {
        self.wait_for_backlog_of(ledger::NAME, at_most, what);
    }

    /// The same of a generation.
    pub(super) fn wait_for_backlog_of(&self, name: &str, at_most: u64, what: &str) {
        let blueprint = Blueprint::of(name, ledger::topology).expect("the topology is valid");
        let counts = [(ledger::TRANSFERS.to_owned(), self.partitions)].into_iter().collect();
        let plan = blueprint.plan(&counts).expect("the topology fits");
        let mut backlog = Backlog::of(&plan, &self.log).expect("the broker is up");
        until(what, CONSUMPTION, || backlog.remaining().ok().filter(|remaining| *remaining <= at_most));
    }

    /// Every result exactly once, in order, with the right value. Answers the number of keys.
    pub(super) fn judge(&self, findings: &mut Findings) -> u64 {
        match oracle::judge(&self.log) {
            Ok(verdict) => {
                let oracle::Verdict { transfers, late, results, keys, differences } = verdict;
                findings.note(format_args!("{transfers} transfers of {keys} accounts, {late} of them late; {results} results"));
                findings.at_most("differences from a plain fold of the input", differences.len() as u64, 0);
                differences.iter().for_each(|difference| findings.violation(difference));
                keys
            }
            Err(error) => {
                findings.violation(format_args!("the topics cannot be compared: {error}"));
                0
            }
        }
    }
}

/// Creates a topic.
pub(super) fn create(log: &dyn Log, name: &str, partitions: i32, config: &[(&str, &str)]) {
    let config: BTreeMap<String, String> = config.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let topic = NewTopic { name: name.to_owned(), partitions, replication: None, config };
    let created = log.admin().and_then(|mut admin| admin.create(&[topic]));
    created.unwrap_or_else(|error| panic!("creating {name}: {error}"));
}
