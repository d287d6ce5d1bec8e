use std::env;
use std::path::PathBuf;

use crate::Workload;

/// The topic that every workload reads, unless records are to be written while it runs.
pub const INPUT: &str = "input";
/// The topic of the table.
pub const TABLE: &str = "profiles";
/// What the bare loop is told, beside its job, to leave RocksDB as it comes; and what it is called then.
pub const PLAIN: &str = "plain";

/// What a contender is told, by its environment.
#[derive(Clone, Debug)]
pub struct Job {
    /// What to compute.
    pub workload: Workload,
    /// The application's name, and so its group's; different for every run.
    pub app: String,
    /// The broker.
    pub bootstrap: String,
    /// An empty directory for the state.
    pub state: PathBuf,
    /// Threads that process.
    pub workers: usize,
    /// Whether results, state and positions are committed in transactions.
    pub exactly_once: bool,
    /// Partitions of every topic.
    pub partitions: i32,
    /// How what is written is compressed, by Kafka's name for it; empty: as the contender does by itself.
    pub compression: String,
    /// The topic to read: [`INPUT`], or one that is written to meanwhile.
    pub input: String,
    /// How many records the input will have in the end; 0: as many as at the start. For a contender that ends by itself.
    pub awaited: u64,
    /// Milliseconds between commits.
    pub commit: u64,
    /// Milliseconds for which what is to be sent may wait for more; empty: as the contender does by itself.
    pub linger: String,
    /// By how many digits of its memo W7 counts a record.
    pub memo_digits: usize,
    /// Whether Kafka Streams stays in its group when it is stopped, as it does unless it is told not to.
    pub stays: bool,
}

impl Job {
    /// The topic of the results.
    pub fn output(&self) -> String {
        format!("{}-out", self.app)
    }

    /// As environment variables.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("BENCH_WORKLOAD", self.workload.to_string()),
            ("BENCH_APP", self.app.clone()),
            ("BENCH_BOOTSTRAP", self.bootstrap.clone()),
            ("BENCH_STATE", self.state.display().to_string()),
            ("BENCH_WORKERS", self.workers.to_string()),
            ("BENCH_EXACTLY_ONCE", self.exactly_once.to_string()),
            ("BENCH_PARTITIONS", self.partitions.to_string()),
            ("BENCH_COMPRESSION", self.compression.clone()),
            ("BENCH_INPUT", self.input.clone()),
            ("BENCH_AWAITED", self.awaited.to_string()),
            ("BENCH_COMMIT", self.commit.to_string()),
            ("BENCH_LINGER", self.linger.clone()),
            ("BENCH_MEMO_DIGITS", self.memo_digits.to_string()),
            ("BENCH_STAYS", self.stays.to_string()),
        ]
    }

    /// From environment variables.
    ///
    /// # Errors
    /// Which variable is missing or cannot be read.
    pub fn from_environment() -> Result<Job, String> {
        fn read<T: std::str::FromStr<Err: std::fmt::Display>>(name: &str) -> Result<T, String> {
            let text = env::var(name).map_err(|_| format!("{name} is not set: this program is started by `make bench-macro`"))?;
            text.parse().map_err(|error| format!("{name}={text}: {error}"))
        }
        Ok(Job {
            workload: read("BENCH_WORKLOAD")?,
            app: read("BENCH_APP")?,
            bootstrap: read("BENCH_BOOTSTRAP")?,
            state: read("BENCH_STATE")?,
            workers: read("BENCH_WORKERS")?,
            exactly_once: read("BENCH_EXACTLY_ONCE")?,
            partitions: read("BENCH_PARTITIONS")?,
            compression: read("BENCH_COMPRESSION")?,
            input: read("BENCH_INPUT")?,
            awaited: read("BENCH_AWAITED")?,
            commit: read("BENCH_COMMIT")?,
            linger: read("BENCH_LINGER")?,
            memo_digits: read("BENCH_MEMO_DIGITS")?,
            stays: read("BENCH_STAYS")?,
        })
    }
}
