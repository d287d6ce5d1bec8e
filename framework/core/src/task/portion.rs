use super::header::TimeHeader;
use crate::port::{Entry, LogError, Producer, TOGETHER};
use crate::record::TopicName;
use crate::state::Envelope;
use crate::time::Timestamp;

/// Nor are more bytes handed over together than these and a record's. A buffer that is larger is given back.
const MOST_BYTES: usize = 256 << 10;

/// Records for one partition of a repartition topic that are handed to the producer together, each with its time behind its value.
#[derive(Debug, Default)]
pub(super) struct Portion {
    bytes: Vec<u8>,
    /// Where each one's key and value end, and its time.
    ends: Vec<(usize, usize, Timestamp)>,
}

impl Portion {
    /// Forgets what is in it.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(2 * MOST_BYTES);
        self.ends.clear();
    }

    /// Adds a record.
    pub(super) fn add(&mut self, record: &Envelope<'_>, time: &TimeHeader) {
        self.bytes.extend_from_slice(record.key);
        let key_end = self.bytes.len();
        self.bytes.extend_from_slice(record.value);
        self.bytes.extend_from_slice(&time.trailer(record.timestamp));
        self.ends.push((key_end, self.bytes.len(), record.timestamp));
    }

    pub(super) fn is_full(&self) -> bool {
        self.ends.len() >= TOGETHER || self.bytes.len() >= MOST_BYTES
    }

    /// Hands over what is in it, and forgets it.
    pub(super) fn send(&mut self, topic: &TopicName, partition: i32, producer: &mut dyn Producer) -> Result<(), LogError> {
        let Some((.., last)) = self.ends.last() else { return Ok(()) };
        let mut start = 0;
        let entry = |&(key_end, end, _): &(usize, usize, Timestamp)| -> Entry<'_> {
            let entry = (&self.bytes[start..key_end], Some(&self.bytes[key_end..end]));
            start = end;
            entry
        };
        let entries: Vec<_> = self.ends.iter().map(entry).collect();
        producer.send_all(topic, partition, &entries, *last, false).map_err(|(_, error)| error)?;
        self.clear();
        Ok(())
    }
}
