use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::secrets::is_secret;

/// Which rebalance protocol the members of a group speak. All members of one group should use the same value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GroupProtocol {
    /// KIP-848 where the brokers have it (Apache Kafka 4.0 and newer), else classic. The default.
    #[default]
    Auto,
    /// KIP-848 with the server-side `range` assignor; joining fails where the brokers lack it. The session timeout and
    /// the heartbeat interval are the broker's (`group.consumer.session.timeout.ms`, 45 s by default).
    Consumer,
    /// The classic protocol with the `range` assignor: every rebalance revokes everything from everybody first.
    Classic,
}

/// How to reach a Kafka cluster and how to use it. [`KafkaConfig::new`] has the defaults.
///
/// `Debug` hides the values of passwords, keys and tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct KafkaConfig {
    /// Addresses to start from, `host:port` separated by commas.
    pub bootstrap: String,
    /// How group members share out partitions. Default: [`GroupProtocol::Auto`].
    pub group_protocol: GroupProtocol,
    /// How long the brokers wait for a silent member of a classic group before they give its partitions to others;
    /// heartbeats, by whose answers members hear of rebalances, are sent every second or three times as often as
    /// this. Default: 45 s. Unused with KIP-848.
    pub session_timeout: Duration,
    /// How long the brokers let a transaction stay open before they abort it (`transaction.timeout.ms`). It bounds how
    /// long a dead process can hold back readers. Default: 10 s.
    pub transaction_timeout: Duration,
    /// How long to wait for the first answer of any broker. Default: 10 s.
    pub connect_timeout: Duration,
    /// Bytes a reader fetches ahead, over all its partitions. Default: 32 MiB.
    pub fetch_ahead: usize,
    /// The same for the readers of changelogs, which are open while something is restored. Default: 32 MiB.
    pub restore_ahead: usize,
    /// Bytes that may wait in a producer before `send` blocks. Default: 64 MiB.
    pub send_queue: usize,
    /// Further options of librdkafka by its own names (`security.protocol`, `sasl.username`, `linger.ms`, ...), given to
    /// every client this process opens. They win over this crate's defaults; those on which the engine's correctness
    /// rests (`isolation.level`, `enable.auto.commit`, ...) are refused by [`KafkaLog::new`](crate::KafkaLog::new).
    pub rdkafka: BTreeMap<String, String>,
}

impl KafkaConfig {
    /// The defaults, for the cluster at `bootstrap`.
    pub fn new(bootstrap: impl Into<String>) -> KafkaConfig {
        KafkaConfig {
            bootstrap: bootstrap.into(),
            group_protocol: GroupProtocol::Auto,
            session_timeout: Duration::from_secs(45),
            transaction_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            fetch_ahead: 32 << 20,
            restore_ahead: 32 << 20,
            send_queue: 64 << 20,
            rdkafka: BTreeMap::new(),
        }
    }

    /// Adds one option to [`rdkafka`](KafkaConfig::rdkafka).
    pub fn option(mut self, key: impl Into<String>, value: impl Into<String>) -> KafkaConfig {
        self.rdkafka.insert(key.into(), value.into());
        self
    }
}

impl fmt::Debug for KafkaConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: BTreeMap<&str, &str> =
            self.rdkafka.iter().map(|(k, v)| (k.as_str(), if is_secret(k) { "***" } else { v.as_str() })).collect();
        f.debug_struct("KafkaConfig")
            .field("bootstrap", &self.bootstrap)
            .field("group_protocol", &self.group_protocol)
            .field("session_timeout", &self.session_timeout)
            .field("transaction_timeout", &self.transaction_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("fetch_ahead", &self.fetch_ahead)
            .field("restore_ahead", &self.restore_ahead)
            .field("send_queue", &self.send_queue)
            .field("rdkafka", &shown)
            .finish()
    }
}
