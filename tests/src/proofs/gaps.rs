use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use headwater_core::TopicPartition;
use headwater_core::port::{Log, LogError, ReaderConfig};
use headwater_kafka::KafkaLog;

/// Shorter ones are not remembered.
const NOTED: Duration = Duration::from_millis(150);

/// Reads an output as it is committed, and remembers when a partition had nothing.
pub(super) struct Gaps {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
    thread: Option<JoinHandle<Result<(), LogError>>>,
}

#[derive(Debug, Default)]
struct Seen {
    last: BTreeMap<TopicPartition, Instant>,
    gaps: Vec<(TopicPartition, Instant, Instant)>,
}

impl Gaps {
    /// Begins at the end of the topic, which must exist.
    pub(super) fn watch(log: &KafkaLog, topic: &str, partitions: i32) -> Result<Gaps, LogError> {
        let partitions: Vec<TopicPartition> = (0..partitions).map(|partition| TopicPartition::new(topic, partition)).collect();
        let mut reader = log.reader(&ReaderConfig { group: "proof".into(), read_uncommitted: false })?;
        let ends = reader.ends(&partitions)?.into_iter().map(|ends| ends.end);
        reader.assign(&partitions.into_iter().zip(ends).collect::<Vec<_>>())?;
        let (stop, seen): (Arc<AtomicBool>, Arc<Mutex<Seen>>) = (Arc::default(), Arc::default());
        let (stopped, noted) = (Arc::clone(&stop), Arc::clone(&seen));
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                for batch in reader.poll(50_000, Duration::from_millis(20))?.into_iter().filter(|batch| !batch.records.is_empty())
                {
                    noted.lock().unwrap_or_else(PoisonError::into_inner).arrived(batch.partition, Instant::now());
                }
            }
            Ok(())
        });
        Ok(Gaps { stop, seen, thread: Some(thread) })
    }

    /// The longest gap that was open between two moments, and where. One that lasts still counts up to now.
    pub(super) fn longest(&self, from: Instant, to: Instant) -> (Duration, String) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let open = seen.last.iter().map(|(partition, at)| (partition, *at, now));
        let all = seen.gaps.iter().map(|(partition, begin, end)| (partition, *begin, *end)).chain(open);
        let overlapping = all.filter(|(_, begin, end)| *begin <= to && *end >= from);
        let longest = overlapping.map(|(partition, begin, end)| (end - begin, partition.to_string())).max();
        longest.unwrap_or_default()
    }
}

impl Seen {
    fn arrived(&mut self, partition: TopicPartition, now: Instant) {
        if let Some(before) = self.last.insert(partition.clone(), now)
            && now - before >= NOTED
        {
            self.gaps.push((partition, before, now));
        }
    }
}

impl Drop for Gaps {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
