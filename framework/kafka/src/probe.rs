//! Whether the brokers have KIP-848. librdkafka keeps what a broker can do to itself, but for its debug log.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use crate::config::KafkaConfig;
use crate::context::Context;
use crate::native::{self, Client, Role};
use crate::options;
use crate::secrets::Secrets;

/// Looks at the first broker that answers. False if none does in time, or if its answer cannot be read: the classic
/// protocol works everywhere.
pub(crate) fn has_consumer_protocol(config: &KafkaConfig) -> bool {
    let context = Context::probe(Secrets::of(&config.rdkafka));
    let Ok(client) = native::open(&options::probe(config), Role::Consumer, context) else { return false };
    let started = Instant::now();
    let (mut seen, mut since) = (0, started);
    loop {
        native::serve(&client, Duration::from_millis(10));
        let (found, lines) = look(&client);
        if let Some(found) = found {
            return found;
        }
        if lines > seen {
            (seen, since) = (lines, Instant::now());
        }
        // Old brokers end their list before the key looked for; the lines of one answer come at once.
        if seen > 0 && since.elapsed() >= Duration::from_millis(250) {
            return false;
        }
        if started.elapsed() >= config.connect_timeout {
            tracing::warn!("no broker told its features; taking the classic group protocol");
            return false;
        }
    }
}

/// The answer, if it is among the lines so far, and their number.
fn look(client: &Client) -> (Option<bool>, usize) {
    let Some(features) = &client.context().features else { return (Some(false), 0) };
    let lines = features.lock().unwrap_or_else(PoisonError::into_inner);
    // Brokers list their requests by ascending key.
    let found = lines.iter().filter_map(|line| api(line)).find(|(key, _)| *key >= CONSUMER_GROUP_HEARTBEAT);
    (found.map(|(key, max)| key == CONSUMER_GROUP_HEARTBEAT && max >= 1), lines.len())
}

/// Version 0 was the preview in Kafka 3.7 to 3.9, which librdkafka does not speak.
const CONSUMER_GROUP_HEARTBEAT: i16 = 68;

/// Key and newest version from a line such as `... ApiKey ConsumerGroupHeartbeat (68) Versions 0..1`.
fn api(line: &str) -> Option<(i16, i16)> {
    let (_, rest) = line.split_once("ApiKey ")?;
    let (_, rest) = rest.split_once('(')?;
    let (key, rest) = rest.split_once(')')?;
    let (_, max) = rest.rsplit_once("..")?;
    Some((key.parse().ok()?, max.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_debug_line() {
        let line =
            "[thrd:localhost:9092/bootstrap]: localhost:9092/bootstrap:   ApiKey ConsumerGroupHeartbeat (68) Versions 0..1";
        assert_eq!(api(line), Some((68, 1)));
        assert_eq!(api("Broker API support:"), None);
    }
}
