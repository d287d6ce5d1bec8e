use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use headwater_core::port::{Log, LogError, ReaderConfig};
use headwater_core::{Record, TopicPartition};

/// From one record to the next. A transaction that nobody ended is aborted by the broker within 11 s: what takes longer is stuck.
const PATIENCE: Duration = Duration::from_secs(45);

/// Every partition of a topic.
pub(super) fn partitions(log: &dyn Log, topic: &str) -> Result<Vec<TopicPartition>, LogError> {
    let found = log.admin()?.describe(&[topic.to_owned()])?;
    let info = found.get(topic).ok_or_else(|| LogError::UnknownTopic { topic: topic.to_owned() })?;
    Ok((0..info.partitions).map(|partition| TopicPartition::new(topic, partition)).collect())
}

/// Reads a topic from its beginning to the end it has now, read committed: partitions interleaved, each in order.
pub(super) fn scan(log: &dyn Log, topic: &str, each: &mut dyn FnMut(&TopicPartition, &Record)) -> Result<(), LogError> {
    let partitions = partitions(log, topic)?;
    let mut reader = log.reader(&ReaderConfig { group: "chaos".into(), read_uncommitted: false })?;
    let ends = reader.ends(&partitions)?;
    let mut left: BTreeMap<TopicPartition, i64> =
        partitions.into_iter().zip(&ends).filter(|(_, ends)| ends.start < ends.end).map(|(p, ends)| (p, ends.end)).collect();
    let from: Vec<(TopicPartition, i64)> = left.keys().map(|partition| (partition.clone(), 0)).collect();
    reader.assign(&from)?;
    let mut last = Instant::now();
    while !left.is_empty() {
        let batches = match reader.poll(10_000, Duration::from_millis(100)) {
            Err(LogError::Retriable(_)) => Vec::new(),
            batches => batches?,
        };
        for batch in batches {
            let Some(end) = left.get(&batch.partition) else { continue };
            batch.records.iter().filter(|record| record.offset < *end).for_each(|record| each(&batch.partition, record));
            if batch.position >= *end {
                left.remove(&batch.partition);
            }
            last = Instant::now();
        }
        if last.elapsed() > PATIENCE {
            let stuck: Vec<String> = left.iter().map(|(partition, end)| format!("{partition} before {end}")).collect();
            return Err(LogError::Fatal(format!("read committed, nothing more comes from {}", stuck.join(", "))));
        }
    }
    Ok(())
}
