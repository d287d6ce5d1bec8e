//! Writes transfers into a log.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use headwater::port::{Log, LogError, NewTopic, Producer, ProducerConfig};
use headwater::{Outgoing, Timestamp, TopicName, partition_for};
use thiserror::Error;

use crate::topology::TRANSFERS;
use crate::transfer::Transfer;
use crate::transfers::Transfers;

/// How long to wait when ahead of the rate: long enough that requests carry more than a few records.
const PAUSE: Duration = Duration::from_millis(25);

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Number of transfers.
    pub records: u64,
    /// Number of accounts they are spread over.
    pub accounts: u64,
    /// Transfers per second; none is as fast as the log takes them.
    pub rate: Option<u64>,
    /// Which transfers: see [`Transfers`].
    pub seed: u64,
    /// Partitions of the topic, if it does not exist yet.
    pub partitions: i32,
}

/// Why not everything was written.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The log failed or refused.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A transfer cannot be written as JSON.
    #[error("cannot write a transfer as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The topic is gone again.
    #[error("topic \"{TRANSFERS}\" was created and is not there")]
    NoTopic,
}

/// Creates the topic if it is missing and writes the transfers, those of an account in their order. When it returns, all of them are
/// acknowledged, each written once.
pub fn load(log: &dyn Log, load: &Load) -> Result<(), LoadError> {
    let mut admin = log.admin()?;
    // The transfers are dated 2024: any retention would delete them at once.
    let config = BTreeMap::from([("retention.ms".to_owned(), "-1".to_owned())]);
    admin.create(&[NewTopic { name: TRANSFERS.to_owned(), partitions: load.partitions, replication: None, config }])?;
    let found = admin.describe(&[TRANSFERS.to_owned()])?;
    let partitions = found.get(TRANSFERS).ok_or(LoadError::NoTopic)?.partitions;

    let mut producer = log.producer(&ProducerConfig { transactional_id: None })?;
    producer.init()?;
    let topic = TopicName::from(TRANSFERS);
    let began = Instant::now();
    for transfer in Transfers::new(load.seed, load.accounts).zip(1..=load.records).map(|(transfer, _)| transfer) {
        keep_to(load.rate, transfer.id, began);
        write(producer.as_mut(), &topic, partitions, &transfer)?;
    }
    Ok(producer.flush()?)
}

fn write(producer: &mut dyn Producer, topic: &TopicName, partitions: i32, transfer: &Transfer) -> Result<(), LoadError> {
    let key = transfer.account.as_bytes();
    let value = serde_json::to_vec(transfer)?;
    Ok(producer.send(Outgoing {
        topic,
        partition: partition_for(Some(key), partitions, 0),
        key: Some(key),
        value: Some(&value),
        timestamp: Timestamp::from_millis(transfer.at),
        headers: &[],
        track_offset: false,
    })?)
}

/// Waits until it is time for this record.
#[expect(clippy::disallowed_methods, reason = "a rate is kept by waiting")]
fn keep_to(rate: Option<u64>, number: u64, began: Instant) {
    let Some(rate) = rate else { return };
    let due = Duration::from_secs_f64(number as f64 / rate.max(1) as f64);
    while began.elapsed() < due {
        std::thread::sleep(PAUSE);
    }
}
