//! From [`KafkaConfig`] to librdkafka's options, one function per kind of client.

use std::time::Duration;

use headwater_core::port::{LogError, MembershipConfig};
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::KafkaError;

use crate::config::KafkaConfig;
use crate::secrets::{Secrets, is_secret};

/// librdkafka's limit of a record's size. Its default (1,000,000) is below what a topic takes by default (1,048,588).
const LARGEST_RECORD: &str = "message.max.bytes";

/// Milliseconds for which a record waits for others to be sent with.
const LINGER: &str = "linger.ms";

/// Options the engine's correctness depends on, with what to do instead.
const REFUSED: &[(&str, &str)] = &[
    ("bootstrap.servers", "set the bootstrap addresses instead"),
    ("metadata.broker.list", "set the bootstrap addresses instead"),
    ("group.id", "the group is the application's name"),
    ("group.instance.id", "it is set from the instance's name"),
    ("group.protocol", "choose the group protocol instead"),
    ("group.protocol.type", "choose the group protocol instead"),
    ("group.remote.assignor", "only range keeps co-partitioned topics together"),
    ("partition.assignment.strategy", "only range keeps co-partitioned topics together"),
    ("session.timeout.ms", "set the session timeout instead"),
    ("heartbeat.interval.ms", "it follows from the session timeout"),
    ("transaction.timeout.ms", "set the transaction timeout instead"),
    ("transactional.id", "it is made from the application's name and the instance"),
    ("enable.idempotence", "the engine needs it on"),
    ("enable.gapless.guarantee", "the engine handles refused records itself"),
    ("acks", "the engine needs acks=all"),
    ("request.required.acks", "the engine needs acks=all"),
    ("isolation.level", "the engine reads committed records only"),
    ("enable.auto.commit", "the engine commits offsets together with its results"),
    ("auto.commit.enable", "the engine commits offsets together with its results"),
    ("auto.commit.interval.ms", "the engine commits offsets together with its results"),
    ("enable.auto.offset.store", "the engine commits offsets together with its results"),
    ("auto.offset.reset", "a lost position must be an error, not a silent jump"),
    ("enable.partition.eof", "the engine needs to know a partition's end"),
    ("allow.auto.create.topics", "the engine creates its topics with their configuration"),
    ("delivery.report.only.error", "the engine needs the offsets of what it wrote"),
    ("log.queue", "the logs are collected already"),
];

/// Refuses what must not be set and what librdkafka does not know, naming the option and never showing a secret.
pub(crate) fn validate(config: &KafkaConfig) -> Result<(), LogError> {
    if config.bootstrap.trim().is_empty() {
        return Err(LogError::Fatal("no Kafka bootstrap address is configured".into()));
    }
    for key in config.rdkafka.keys() {
        if let Some((_, instead)) = REFUSED.iter().find(|(refused, _)| refused == key) {
            return Err(LogError::Fatal(format!("the librdkafka option {key:?} cannot be set: {instead}")));
        }
    }
    base(config).create_native_config().map(drop).map_err(|error| refusal(error, &Secrets::of(&config.rdkafka)))
}

/// Words a refusal of librdkafka to take a configuration or to start a client with it.
pub(crate) fn refusal(error: KafkaError, secrets: &Secrets) -> LogError {
    LogError::Fatal(match error {
        KafkaError::ClientConfig(_, reason, key, _) if reason.starts_with("No such configuration property") => {
            format!("unknown librdkafka option {key:?}")
        }
        // librdkafka repeats the value it refuses.
        KafkaError::ClientConfig(_, _, key, _) if is_secret(&key) => {
            format!("the value of the librdkafka option {key:?} is refused (it is secret and not shown)")
        }
        KafkaError::ClientConfig(_, reason, key, _) => {
            format!("the librdkafka option {key:?} is refused: {}", secrets.hide(&reason))
        }
        KafkaError::ClientCreation(reason) => format!("librdkafka refuses the configuration: {}", secrets.hide(&reason)),
        other => format!("librdkafka could not start a client: {}", secrets.hide(&other.to_string())),
    })
}

/// What every client has.
fn base(config: &KafkaConfig) -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("client.id", "headwater").set("allow.auto.create.topics", "false").set("log.connection.close", "false");
    finish(client, config)
}

/// The user's options last: they win over our defaults.
fn finish(mut client: ClientConfig, config: &KafkaConfig) -> ClientConfig {
    client.set_log_level(if tracing::enabled!(target: "librdkafka", tracing::Level::DEBUG) {
        RDKafkaLogLevel::Debug
    } else {
        RDKafkaLogLevel::Info
    });
    client.set("bootstrap.servers", config.bootstrap.trim());
    client.extend(config.rdkafka.iter().map(|(k, v)| (k.clone(), v.clone())));
    client
}

/// For reading logs to their ends and no further: the end is told as soon as it is reached, which would be a waste for who reads on.
pub(crate) fn restore(config: &KafkaConfig, group: &str, read_uncommitted: bool, fetch_ahead: usize) -> ClientConfig {
    let mut client = reader(config, group, read_uncommitted, fetch_ahead);
    client.set(FETCH_WAIT, "10");
    finish(client, config)
}

/// What every client has that reads or asks but is no member.
fn asking(config: &KafkaConfig) -> ClientConfig {
    let mut client = base(config);
    // Unused by these clients, but librdkafka checks it against the max.poll.interval.ms that a user may give to all.
    client.set("session.timeout.ms", millis(config.session_timeout));
    client
}

/// For metadata and administration.
pub(crate) fn plain(config: &KafkaConfig) -> ClientConfig {
    let mut client = asking(config);
    client.set(LONGEST_RECONNECT, "1000");
    finish(client, config)
}

/// How long a client waits, at most, before it tries to reach a broker again. One that lives as long as the process must not be found waiting
/// when it is needed (librdkafka's default is 10 s).
const LONGEST_RECONNECT: &str = "reconnect.backoff.max.ms";

/// For one look at the brokers' features, which librdkafka tells only its debug log.
pub(crate) fn probe(config: &KafkaConfig) -> ClientConfig {
    let mut client = asking(config);
    client.set("debug", "feature").set_log_level(RDKafkaLogLevel::Debug);
    client
}

/// How long a broker holds an answer back that has no record yet.
const FETCH_WAIT: &str = "fetch.wait.max.ms";
/// Bytes a queued record costs at least, in librdkafka's own structures.
const QUEUED_RECORD: usize = 512;

/// For reading assigned partitions and committed offsets of `group`; it never subscribes and so never joins.
pub(crate) fn reader(config: &KafkaConfig, group: &str, read_uncommitted: bool, fetch_ahead: usize) -> ClientConfig {
    let mut client = asking(config);
    client
        .set("group.id", group)
        .set("isolation.level", if read_uncommitted { "read_uncommitted" } else { "read_committed" })
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("enable.partition.eof", "true")
        // An end is known when a fetch comes back empty: this bounds how late.
        .set(FETCH_WAIT, "100")
        // By default a full queue stops fetching for a whole second.
        .set("fetch.queue.backoff.ms", "2")
        .set("fetch.error.backoff.ms", "100")
        // The queue's bytes are those of keys and values; what librdkafka keeps beside each of them is more for small records.
        .set("queued.min.messages", (fetch_ahead / QUEUED_RECORD).clamp(1_000, 100_000).to_string())
        .set("queued.max.messages.kbytes", (fetch_ahead / 1024).max(1).to_string())
        .set("fetch.message.max.bytes", (fetch_ahead / 8).clamp(64 << 10, 4 << 20).to_string())
        // One answer may come in addition to what is queued, so it is a part of that, not 50 MiB.
        .set("fetch.max.bytes", (fetch_ahead / 4).clamp(1 << 20, 50 << 20).to_string());
    finish(client, config)
}

/// For asking about logs' ends whatever the isolation level of what reads them.
pub(crate) fn uncommitted(config: &KafkaConfig) -> ClientConfig {
    let mut client = asking(config);
    client.set("isolation.level", "read_uncommitted").set(LONGEST_RECONNECT, "1000");
    finish(client, config)
}

/// How long a member may take to give partitions up (KIP-848's rebalance timeout). A clean hand-over is a commit, and the member is polled many
/// times a second. Kafka's default is 5 minutes, and that long partitions were nobody's when the answer to a heartbeat was lost on its way: it said
/// what to give up, the broker says it once, and librdkafka asks for it again after other failures but not after this one.
const GIVE_UP: Duration = Duration::from_secs(45);

/// For group membership. It reads nothing: its partitions are paused as soon as they are assigned.
pub(crate) fn membership(config: &KafkaConfig, member: &MembershipConfig, consumer_protocol: bool) -> ClientConfig {
    let mut client = base(config);
    client
        .set("group.id", &member.group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "latest")
        .set("queued.min.messages", "1")
        .set("queued.max.messages.kbytes", "1")
        .set("fetch.message.max.bytes", "1024")
        // Not below the session's: librdkafka refuses that.
        .set("max.poll.interval.ms", millis(GIVE_UP.max(config.session_timeout)));
    let mut client = finish(client, config);
    if let Some(instance) = &member.instance {
        client.set("group.instance.id", instance);
    }
    if consumer_protocol {
        // Session timeout, heartbeat interval and strategy are the broker's: librdkafka refuses them here.
        client.set("group.protocol", "consumer").set("group.remote.assignor", "range");
    } else {
        client
            .set("group.protocol", "classic")
            .set("partition.assignment.strategy", "range")
            .set("session.timeout.ms", millis(config.session_timeout))
            .set("heartbeat.interval.ms", millis((config.session_timeout / 3).min(Duration::from_secs(1))));
    }
    client
}

/// For writing.
pub(crate) fn producer(config: &KafkaConfig, transactional_id: Option<&str>) -> ClientConfig {
    let mut client = base(config);
    client
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("compression.type", "lz4")
        // A transaction's end sends what lingers, and nobody reads it before; without one whoever reads the results waits for it.
        .set(LINGER, if transactional_id.is_some() { "20" } else { "1" })
        .set("batch.size", "262144")
        .set("batch.num.messages", "10000")
        // The brokers' limits are per topic (`max.message.bytes`) and known to the engine; this one is only a guard against what no
        // broker takes.
        .set(LARGEST_RECORD, (16 << 20).to_string())
        .set("queue.buffering.max.messages", (config.send_queue / QUEUED_RECORD * 2).clamp(10_000, 1_000_000).to_string())
        .set("queue.buffering.max.kbytes", (config.send_queue / 1024).max(1).to_string());
    if transactional_id.is_none() {
        client.set("message.timeout.ms", "120000");
    }
    let mut client = finish(client, config);
    if let Some(id) = transactional_id {
        // Without message.timeout.ms librdkafka lets a record live as long as its transaction, which is what is wanted.
        client.set("transactional.id", id).set("transaction.timeout.ms", millis(config.transaction_timeout));
    }
    client
}

/// The largest record a producer with these options sends, in bytes.
pub(crate) fn largest_record(producer: &ClientConfig) -> usize {
    producer.get(LARGEST_RECORD).and_then(|bytes| bytes.trim().parse().ok()).unwrap_or(usize::MAX)
}

fn millis(duration: Duration) -> String {
    duration.as_millis().max(1).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &str, value: &str, expected: &str) {
        let text = match validate(&KafkaConfig::new("localhost:9092").option(key, value)) {
            Ok(()) => "ok".to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(text, expected, "{key}={value}");
    }

    #[test]
    fn without_transactions_records_do_not_wait_long_for_others() {
        let config = KafkaConfig::new("localhost:9092");
        assert_eq!(producer(&config, Some("id")).get(LINGER), Some("20"));
        assert_eq!(producer(&config, None).get(LINGER), Some("1"));
        assert_eq!(producer(&config.option(LINGER, "7"), None).get(LINGER), Some("7"), "whoever sets it has the last word");
    }

    #[test]
    fn names_the_option() {
        check("linger.ms", "20", "ok");
        check("lingr.ms", "20", "unknown librdkafka option \"lingr.ms\"");
        check(
            "isolation.level",
            "read_uncommitted",
            "the librdkafka option \"isolation.level\" cannot be set: the engine reads committed records only",
        );
        check(
            "security.protocol",
            "tls",
            "the librdkafka option \"security.protocol\" is refused: Invalid value \"tls\" for configuration property \"security.protocol\"",
        );
    }

    #[test]
    fn shows_no_secret() {
        let config = KafkaConfig::new("localhost:9092").option("ssl.key.pem", "hunter2").option("nonsense", "1");
        assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
        assert!(!validate(&config).unwrap_err().to_string().contains("hunter2"));
    }
}
