use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use headwater_runtime::{Guarantee, RunOptions};
use serde::{Deserialize, Serialize};

use super::choice::{GroupProtocol, LogFormat};
use super::filter::LogFilter;
use super::listen::Listen;
use super::secret::masked;
use super::size::ByteSize;
use super::text;

/// Everything that can be configured. Each value may be written as text (`"4"`), whatever its type, so that files,
/// environment and flags follow one rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The cluster and how to talk to it.
    pub kafka: KafkaSettings,
    /// Where and how state is kept.
    pub state: StateSettings,
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
    /// Memory for caches and write buffers of all stores together, in bytes or with a unit. Default: `256MiB`.
    #[serde(with = "text::one")]
    pub memory: ByteSize,
}

impl Default for StateSettings {
    fn default() -> StateSettings {
        StateSettings { dir: PathBuf::from("./state"), memory: ByteSize::mebibytes(256) }
    }
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
    /// Longest time between commits while there is something to commit, with a unit. Default: `100ms`.
    #[serde(with = "text::one")]
    pub commit_interval: Duration,
    /// After this long without records, an input partition that was read to its end no longer holds event time back.
    /// Default: `30s`.
    #[serde(with = "text::one")]
    pub idle_timeout: Duration,
    /// Name of this process in the group (`group.instance.id`), which makes it a static member: it gets its partitions back
    /// after a restart without a rebalance. Must differ between processes. Short in the environment: `HEADWATER_INSTANCE`.
    /// Default: none.
    #[serde(with = "text::optional")]
    pub instance: Option<String>,
    /// Whether missing output topics are created. Default: `true`.
    #[serde(with = "text::one")]
    pub create_outputs: bool,
    /// Replicas of the topics this application creates. Default: none, which takes the broker's default.
    #[serde(with = "text::optional")]
    pub replication: Option<i32>,
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
            instance: None,
            create_outputs: true,
            replication: None,
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
}

impl Default for AdminSettings {
    fn default() -> AdminSettings {
        AdminSettings { listen: Listen::At(String::from("127.0.0.1:8080")) }
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
            buffer_bytes: usize::try_from(self.run.buffer.bytes()).unwrap_or(usize::MAX),
            ..RunOptions::default()
        }
    }
}
