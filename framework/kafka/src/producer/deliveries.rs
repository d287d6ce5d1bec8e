use headwater_core::TopicPartition;

use crate::error::is_consequence;
use crate::native::Delivered;

/// What delivery reports said since the engine last asked: the offsets of tracked records, and refusals.
#[derive(Default)]
pub(crate) struct Deliveries {
    tracked: Vec<Tracked>,
    /// The entry of the record before: reports come in runs of one partition.
    last: usize,
    failed: u64,
    first_failure: Option<Undelivered>,
}

/// A record that was not written.
#[derive(Clone, Debug)]
pub(crate) struct Undelivered {
    pub(crate) partition: TopicPartition,
    /// librdkafka's code.
    pub(crate) code: i32,
    /// The same in words.
    pub(crate) text: String,
}

struct Tracked {
    topic: usize,
    partition: TopicPartition,
    /// The offset after the newest record.
    next: i64,
}

impl Deliveries {
    pub(crate) fn note(&mut self, delivered: &Delivered<'_>) {
        if let Some(code) = delivered.error() {
            self.failed += 1;
            let news = || Undelivered {
                partition: TopicPartition::new(delivered.topic(), delivered.partition()),
                code,
                text: delivered.error_text(),
            };
            match &self.first_failure {
                None => self.first_failure = Some(news()),
                // What others are dropped for says less than what they are dropped with.
                Some(first) if is_consequence(first.code) && !is_consequence(code) => self.first_failure = Some(news()),
                Some(_) => {}
            }
            return;
        }
        // A broker that saw a retry as a duplicate may not tell the offset; then the older one stands, which is safe:
        // what is replayed from it is idempotent.
        if delivered.offset() < 0 {
            return;
        }
        let (topic, partition, next) = (delivered.topic_id(), delivered.partition(), delivered.offset() + 1);
        let is = |entry: &Tracked| entry.topic == topic && entry.partition.partition == partition;
        if !self.tracked.get(self.last).is_some_and(is) {
            self.last = self.tracked.iter().position(is).unwrap_or_else(|| {
                self.tracked.push(Tracked { topic, partition: TopicPartition::new(delivered.topic(), partition), next });
                self.tracked.len() - 1
            });
        }
        let entry = &mut self.tracked[self.last];
        entry.next = entry.next.max(next);
    }

    /// The offsets after the last tracked record of each partition.
    pub(crate) fn take_offsets(&mut self) -> Vec<(TopicPartition, i64)> {
        self.tracked.drain(..).map(|entry| (entry.partition, entry.next)).collect()
    }

    /// What was not written, by the first one that tells why, and forgets it.
    pub(crate) fn take_failure(&mut self) -> Option<Undelivered> {
        let mut first = self.first_failure.take()?;
        let more = std::mem::take(&mut self.failed) - 1;
        if more > 0 {
            first.text = format!("{} (and {more} more)", first.text);
        }
        Some(first)
    }
}
