use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use headwater_core::BackOff;
use headwater_runtime::{Guarantee, RunOptions};
use serde::{Deserialize, Serialize};

use super::choice::{GroupProtocol, LogFormat};
use super::filter::LogFilter;
use super::listen::Listen;
use super::memory::{self, Memory};
use super::secret::masked;
use super::size::ByteSize;
use super::{machine, text};
use crate::error::CliError;
use crate::explain::codes;

/// Everything that can be configured. Each value may be written as text (`"4"`), whatever its type, so that files,
/// environment and flags follow one rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The cluster and how to talk to it.
    pub kafka: KafkaSettings,
    /// Where and how state is kept.
    pub state: StateSettings,
    /// How much memory the process may use.
    pub memory: MemorySettings,
    /// How records are processed.
    pub run: RunSettings,
    /// The admin HTTP server.
    pub admin: AdminSettings,
    /// The log on stderr.
    pub log: LogSettings,
}

/// Section `kafka`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KafkaSettings {
    /// Addresses of one or more brokers, `host:port`, separated by commas. Default: `localhost:9092`.
    #[serde(with = "text::one")]
    pub bootstrap: String,
    /// How the group shares out partitions: `consumer` (KIP-848, brokers from 4.0), `classic`, or `auto`: `consumer` where
    /// the broker has it. Default: `auto`.
    #[serde(with = "text::one")]
    pub group_protocol: GroupProtocol,
    /// Any option of librdkafka by its own name, for all clients: `[kafka.rdkafka]` in a file with the name in quotes,
    /// `HEADWATER_KAFKA__RDKAFKA__SECURITY_PROTOCOL` in the environment, `--set kafka.rdkafka.security.protocol=...`.
    /// Default: none.
    #[serde(with = "text::map")]
    pub rdkafka: BTreeMap<String, String>,
}

/// Without the values of secrets: settings end up in logs.
impl fmt::Debug for KafkaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |(name, value): (&String, &String)| (name.clone(), masked(name, value).to_owned());
        let rdkafka: BTreeMap<String, String> = self.rdkafka.iter().map(shown).collect();
        f.debug_struct("KafkaSettings")
            .field("bootstrap", &self.bootstrap)
            .field("group_protocol", &self.group_protocol)
            .field("rdkafka", &rdkafka)
            .finish()
    }
}

impl Default for KafkaSettings {
    fn default() -> KafkaSettings {
        KafkaSettings { bootstrap: String::from("localhost:9092"), group_protocol: GroupProtocol::Auto, rdkafka: BTreeMap::new() }
    }
}

/// Section `state`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StateSettings {
    /// Directory of the stores; one process at a time. Losing it costs a restore from the changelogs, no data.
    /// Default: `./state`.
    #[serde(with = "text::one")]
    pub dir: PathBuf,
    /// Memory for caches and write buffers of all stores together, in bytes or with a unit. Default: none, which takes its share of
    /// `memory.limit`.
    #[serde(with = "text::optional")]
    pub memory: Option<ByteSize>,
    /// Files all stores together may keep open. Default: none, which takes half of what the process may open (`ulimit -n`).
    #[serde(with = "text::optional")]
    pub open_files: Option<usize>,
    /// How long the files of a task stay open after it was given up, in case it comes back. Default: `5s`.
    #[serde(with = "text::one")]
    pub keep_open: Duration,
}

impl Default for StateSettings {
    fn default() -> StateSettings {
        StateSettings { dir: PathBuf::from("./state"), memory: None, open_files: None, keep_open: Duration::from_secs(5) }
    }
}

/// Section `memory`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MemorySettings {
    /// Memory of the whole process, in bytes or with a unit: caches, buffers and the Kafka client's queues are cut from it. Default:
    /// none, which takes three quarters of the control group's limit, or else a quarter of the machine's memory.
    #[serde(with = "text::optional")]
    pub limit: Option<ByteSize>,
}

/// Section `run`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunSettings {
    /// Worker threads; tasks are spread over them. Default: 1.
    #[serde(with = "text::one")]
    pub workers: usize,
    /// What is promised about each record's effects: `exactly-once` or `at-least-once`. Default: `exactly-once`.
    #[serde(with = "text::one")]
    pub guarantee: Guarantee,
    /// Longest time between commits while there is something to commit, with a unit: from the beginning of one to that of the next, or while there is more to
    /// process than was processed, from the end of one. Default: `100ms`.
    #[serde(with = "text::one")]
    pub commit_interval: Duration,
    /// After this long without records, an input partition that was read to its end no longer holds event time back.
    /// Default: `30s`.
    #[serde(with = "text::one")]
    pub idle_timeout: Duration,
    /// How often what is committed is deleted from repartition topics, with a unit. Default: `30s`, as Kafka Streams'
    /// `repartition.purge.interval.ms`.
    #[serde(with = "text::one")]
    pub trim_interval: Duration,
    /// Name of this process in the group (`group.instance.id`), which makes it a static member: it gets its partitions back
    /// after a restart without a rebalance. Must differ between processes. Short in the environment: `HEADWATER_INSTANCE`.
    /// Default: none.
    #[serde(with = "text::optional")]
    pub instance: Option<String>,
    /// Which generation of the application to run: the ID of the backfill that took it over. Default: none, the one that was there first.
    #[serde(with = "text::optional")]
    pub generation: Option<String>,
    /// Whether missing output topics are created. Default: `true`.
    #[serde(with = "text::one")]
    pub create_outputs: bool,
    /// Replicas of the topics this application creates. Default: none, which takes the broker's default.
    #[serde(with = "text::optional")]
    pub replication: Option<i32>,
    /// Names of stores and repartitions, separated by commas, whose change is known to be harmless: a start takes their state over
    /// although the topology changed (HW0020). Remove it after that start. Default: none.
    #[serde(with = "text::optional")]
    pub accept_topology_change: Option<String>,
    /// Whether a start waits after failures in a row without progress. Default: `true`.
    #[serde(with = "text::one")]
    pub crash_backoff: bool,
    /// Failures in a row from which on a start waits: 1 s at first, then twice as long each time. Default: 2.
    #[serde(with = "text::one")]
    pub crash_backoff_after: usize,
    /// The longest such wait, with a unit. Default: `60s`.
    #[serde(with = "text::one")]
    pub crash_backoff_max: Duration,
    /// Input a task may hold in memory before its partitions are paused, in bytes or with a unit. Default: `16MiB`.
    #[serde(with = "text::one")]
    pub buffer: ByteSize,
}

impl Default for RunSettings {
    fn default() -> RunSettings {
        RunSettings {
            workers: 1,
            guarantee: Guarantee::ExactlyOnce,
            commit_interval: Duration::from_millis(100),
            idle_timeout: Duration::from_secs(30),
            trim_interval: Duration::from_secs(30),
            instance: None,
            generation: None,
            create_outputs: true,
            replication: None,
            accept_topology_change: None,
            crash_backoff: true,
            crash_backoff_after: 2,
            crash_backoff_max: Duration::from_secs(60),
            buffer: ByteSize::mebibytes(16),
        }
    }
}

/// Section `admin`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdminSettings {
    /// Address of the admin HTTP server, `host:port`, or `off`. Port 0 takes a free one and logs it.
    /// Default: `127.0.0.1:8080`.
    #[serde(with = "text::one")]
    pub listen: Listen,
    /// Whether `/state` shows what the stores hold to whoever can reach the address. Default: `true`.
    #[serde(with = "text::one")]
    pub show_state: bool,
}

impl Default for AdminSettings {
    fn default() -> AdminSettings {
        AdminSettings { listen: Listen::At(String::from("127.0.0.1:8080")), show_state: true }
    }
}

/// Section `log`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// `text` for people, `json` for machines: one object per line. Default: `text`.
    #[serde(with = "text::one")]
    pub format: LogFormat,
    /// What is logged: a level (`error`, `warn`, `info`, `debug`, `trace`), or levels per module as in
    /// `info,headwater_kafka=debug`. Default: `info`.
    #[serde(with = "text::one")]
    pub filter: LogFilter,
}

impl Default for LogSettings {
    fn default() -> LogSettings {
        LogSettings { format: LogFormat::Text, filter: LogFilter::default() }
    }
}

impl Settings {
    /// What each part of the process may use of its memory.
    ///
    /// # Errors
    /// A usage error with the least limit that works, if it is set too low.
    pub fn memory(&self) -> Result<Memory, CliError> {
        let limit = self.memory.limit.map_or_else(|| machine::default_memory(memory::least(self.run.workers)), ByteSize::bytes);
        memory::divide(limit, self.run.workers, self.state.memory.map(ByteSize::bytes))
            .map_err(|refusal| CliError::usage(refusal).with_code(codes::MEMORY_TOO_SMALL))
    }

    /// Files all stores together may keep open. A warning in the log says if the process may not open that many.
    pub fn open_files(&self) -> usize {
        let limit = machine::open_file_limit();
        let half = || limit.map_or(4096, |limit| bytes(limit / 2));
        let open_files = self.state.open_files.unwrap_or_else(half).min(1 << 20);
        if let Some(limit) = limit.filter(|limit| open_files as u64 + OTHER_FILES > *limit) {
            tracing::warn!(
                open_files,
                limit,
                "with the stores' files the process may have more open than it is allowed to (ulimit -n): raise that limit, or lower state.open_files"
            );
        }
        open_files
    }

    /// How long a start waits after failures; none if it does not.
    pub fn back_off(&self) -> Option<BackOff> {
        let after = u32::try_from(self.run.crash_backoff_after).unwrap_or(u32::MAX);
        self.run.crash_backoff.then(|| BackOff { after, most: self.run.crash_backoff_max, ..BackOff::default() })
    }

    fn accepted_changes(&self) -> Vec<String> {
        let names = self.run.accept_topology_change.iter().flat_map(|names| names.split(','));
        names.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
    }

    /// The engine's options. `process_id` distinguishes processes that have no `run.instance`.
    pub fn run_options(&self, process_id: &str) -> RunOptions {
        RunOptions {
            workers: self.run.workers,
            guarantee: self.run.guarantee,
            commit_interval: self.run.commit_interval,
            instance: self.run.instance.clone(),
            process_id: self.run.instance.clone().unwrap_or_else(|| process_id.to_owned()),
            create_outputs: self.run.create_outputs,
            replication: self.run.replication,
            idle_timeout: self.run.idle_timeout,
            trim_interval: self.run.trim_interval,
            accepted_changes: self.accepted_changes(),
            buffer_bytes: bytes(self.run.buffer.bytes()),
            // Who sets the stores' memory by itself gets no more than that.
            memory_limit: self.memory().ok().filter(|_| self.state.memory.is_none()).map(|memory| memory.limit),
            ..self.memory().map(|memory| within(&memory)).unwrap_or_default()
        }
    }
}

/// Options with the memory's parts in place. Without them, because the limit is refused, nothing runs.
fn within(memory: &Memory) -> RunOptions {
    RunOptions {
        buffer_total_bytes: bytes(memory.input),
        dirty_bytes: bytes(memory.uncommitted),
        cache_bytes: bytes(memory.cache),
        lent_bytes: bytes(memory.cache_lent),
        restore_parallel: memory.restore_parallel,
        ..RunOptions::default()
    }
}

fn bytes(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Connections, logs and whatever else a process has open.
const OTHER_FILES: u64 = 200;
