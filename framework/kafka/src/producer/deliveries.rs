use headwater_core::TopicPartition;

use crate::native::Delivered;

/// What delivery reports said since the engine last asked: the offsets of tracked records, and refusals.
#[derive(Default)]
pub(crate) struct Deliveries {
    tracked: Vec<Tracked>,
    /// The entry of the record before: reports come in runs of one partition.
    last: usize,
    refused: u64,
    first_refusal: Option<String>,
}

struct Tracked {
    topic: usize,
    partition: TopicPartition,
    /// The offset after the newest record.
    next: i64,
}

impl Deliveries {
    pub(crate) fn note(&mut self, delivered: &Delivered<'_>) {
        if delivered.error().is_some() {
            self.refused += 1;
            self.first_refusal.get_or_insert_with(|| {
                format!("{}-{} refused a record: {}", delivered.topic(), delivered.partition(), delivered.error_text())
            });
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

    /// What was refused: the first refusal in words, and how many more there were.
    pub(crate) fn take_refusals(&mut self) -> Option<String> {
        let first = self.first_refusal.take()?;
        let more = std::mem::take(&mut self.refused) - 1;
        Some(if more == 0 { first } else { format!("{first} (and {more} more)") })
    }
}
