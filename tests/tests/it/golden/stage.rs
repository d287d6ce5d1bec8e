//! A broker with the flights loaded, and the means to watch the application on it.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flights::load::DEFAULT_PARTITIONS;
use flights::{compare, load, oracle, outputs};
use headwater::port::{Ends, Log, ReaderConfig};
use headwater::{Backlog, Blueprint, TopicPartition};
use headwater_kafka::KafkaLog;
use headwater_tests::{AppProcess, KafkaBroker, binary, until};
use tempfile::TempDir;

/// Long enough for the whole year on a slow machine that does other things too.
pub const LONG: Duration = Duration::from_secs(240);

/// These tests load a broker and several processes each: one at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

pub struct Stage {
    pub broker: KafkaBroker,
    pub log: KafkaLog,
    pub directory: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Stage {
    /// A broker with the whole year in it.
    pub fn loaded() -> Stage {
        let stage = Stage::empty();
        let report = load::load(&stage.log, DEFAULT_PARTITIONS, &mut |_, _| ()).expect("the flights are loaded");
        assert_eq!((report.flights, report.airlines), (336_776, 16));
        stage
    }

    /// A broker without topics.
    pub fn empty() -> Stage {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let broker = KafkaBroker::start();
        let log = broker.log();
        Stage { broker, log, directory: TempDir::new().expect("a temporary directory"), _turn: turn }
    }

    /// Starts `flights run` with a state directory of this name.
    pub fn run(&self, state: &str, more: &[&str]) -> AppProcess {
        let bootstrap = self.broker.bootstrap();
        let state = self.state(state);
        let mut arguments = vec!["run", "--bootstrap", &bootstrap, "--state-dir", state.to_str().expect("a path in UTF-8")];
        arguments.extend(more);
        AppProcess::start(&binary("flights"), &arguments)
    }

    pub fn state(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Waits until at most this many offsets are left to process and commit.
    pub fn wait_for_backlog(&self, at_most: u64, apps: &mut [&mut AppProcess]) {
        let blueprint = Blueprint::of("flights", flights::topology).expect("the topology is valid");
        let counts = blueprint.input_topics().into_iter().map(|topic| (topic, DEFAULT_PARTITIONS)).collect();
        let plan = blueprint.plan(&counts).expect("the topology fits");
        // Internal topics are made by the application, so the first looks may fail.
        let mut backlog = Backlog::of(&plan, &self.log).expect("the broker is up");
        until(&format!("at most {at_most} offsets are left"), LONG, || {
            for app in apps.iter_mut() {
                assert!(app.is_running(), "the application ended early:\n{}", app.log());
            }
            backlog.remaining().ok().filter(|remaining| *remaining <= at_most)
        });
    }

    /// The bounds of every partition of a topic.
    pub fn ends(&self, topic: &str) -> Vec<Ends> {
        let partitions: Vec<_> = (0..DEFAULT_PARTITIONS).map(|partition| TopicPartition::new(topic, partition)).collect();
        let config = ReaderConfig { group: "ends".into(), read_uncommitted: true };
        self.log.reader(&config).and_then(|mut reader| reader.ends(&partitions)).expect("the broker is up")
    }

    /// Compares what is in the output topics, read committed, with the independent computation.
    #[track_caller]
    pub fn check(&self) {
        let outputs = outputs::read(&self.log).expect("the outputs can be read");
        let comparison = compare::compare(&outputs, &oracle::expected(DEFAULT_PARTITIONS).expect("the data is there"));
        assert!(comparison.is_equal(), "{comparison}");
        assert_eq!(comparison.hourly.expected, 21_148);
        assert_eq!(comparison.carriers.expected, 16);
        assert_eq!(comparison.grounded.expected, 44_559);
    }
}
