//! The ledger application in processes of its own, on a broker that a test has for itself.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use headwater::port::{Log, NewTopic};
use headwater::{Backlog, Blueprint};
use headwater_kafka::KafkaLog;
use headwater_tests::chaos::oracle;
use headwater_tests::{AppProcess, binary, until};
use ledger::load::{Load, load};
use tempfile::TempDir;

/// Nothing in these tests takes longer unless it is broken.
pub const LONG: Duration = Duration::from_secs(120);
/// What a process says when a task of its processes records.
pub const PROCESSING: &str = "task is processing";

/// The input is there; processes are started by the test.
pub struct Ledger {
    pub log: KafkaLog,
    bootstrap: String,
    partitions: i32,
    directory: TempDir,
}

impl Ledger {
    /// Creates the input.
    pub fn new(log: KafkaLog, bootstrap: String, partitions: i32) -> Ledger {
        let config = BTreeMap::from([("retention.ms".to_owned(), "-1".to_owned())]);
        let topic = NewTopic { name: ledger::TRANSFERS.to_owned(), partitions, replication: None, config };
        log.admin().and_then(|mut admin| admin.create(&[topic])).expect("topics can be made");
        Ledger { log, bootstrap, partitions, directory: TempDir::new().expect("a temporary directory") }
    }

    /// A state directory.
    pub fn state(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Starts a process on the state directory of this name, with further settings (`key=value`).
    pub fn start(&self, state: &str, settings: &[&str]) -> AppProcess {
        self.start_as(&["run"], state, settings)
    }

    /// The same by another command than `run`.
    pub fn start_as(&self, command: &[&str], state: &str, settings: &[&str]) -> AppProcess {
        let state = self.state(state);
        let state = state.to_str().expect("a path in UTF-8");
        let mut arguments = command.to_vec();
        arguments.extend(["--bootstrap", &self.bootstrap, "--state-dir", state, "--admin", "off"]);
        settings.iter().for_each(|setting| arguments.extend(["--set", setting]));
        AppProcess::start(&binary("ledger"), &arguments)
    }

    /// Writes the transfers of a seed; when it returns they are acknowledged.
    pub fn load(&self, seed: u64, records: u64, rate: Option<u64>) {
        let what = Load { records, accounts: 500, rate, seed, partitions: self.partitions };
        load(&self.log, &what).expect("the transfers can be written");
    }

    /// Offsets left to process and commit.
    pub fn backlog(&self) -> Backlog {
        self.backlog_of(ledger::NAME)
    }

    /// The same of a generation.
    pub fn backlog_of(&self, name: &str) -> Backlog {
        let blueprint = Blueprint::of(name, ledger::topology).expect("the topology is valid");
        let counts = [(ledger::TRANSFERS.to_owned(), self.partitions)].into_iter().collect();
        let plan = blueprint.plan(&counts).expect("the topology fits");
        Backlog::of(&plan, &self.log).expect("the broker is up")
    }

    /// Waits until everything written so far is processed and committed; none of the processes may end meanwhile.
    #[track_caller]
    pub fn wait_until_consumed(&self, apps: &mut [&mut AppProcess]) {
        let mut backlog = self.backlog();
        // Internal topics are made by the application, so the first looks may fail.
        until("everything is consumed", LONG, || {
            for app in apps.iter_mut() {
                assert!(app.is_running(), "the application ended:\n{}", app.log());
            }
            backlog.remaining().ok().filter(|remaining| *remaining == 0)
        });
    }

    /// Every result exactly once, in order, with the right value.
    #[track_caller]
    pub fn check(&self, transfers: u64) {
        let verdict = oracle::judge(&self.log).expect("the topics can be read to their ends");
        assert!(verdict.differences.is_empty(), "{:#?}", verdict.differences);
        assert_eq!(verdict.transfers, transfers);
    }
}
