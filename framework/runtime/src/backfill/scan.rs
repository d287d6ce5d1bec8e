use std::collections::BTreeMap;
use std::time::Duration;

use headwater_core::port::{Log, LogError, Reader, ReaderConfig};
use headwater_core::{Record, TopicPartition};

/// Records taken in one poll.
const FETCH: usize = 10_000;

/// Reads through partitions, one set after the other.
pub(super) struct Scan {
    reader: Box<dyn Reader>,
}

impl Scan {
    pub(super) fn of(log: &dyn Log) -> Result<Scan, LogError> {
        let config = ReaderConfig { group: "headwater-compare".into(), read_uncommitted: false };
        Ok(Scan { reader: log.restore_reader(&config)? })
    }

    /// Reads partitions, read committed, from their beginning to where they end now.
    pub(super) fn through(
        &mut self,
        partitions: &[TopicPartition],
        each: &mut dyn FnMut(&TopicPartition, Record),
    ) -> Result<(), LogError> {
        let reader = self.reader.as_mut();
        let ends = reader.ends(partitions)?;
        let mut open: BTreeMap<TopicPartition, i64> = BTreeMap::new();
        let mut from = Vec::new();
        for (partition, ends) in partitions.iter().zip(ends).filter(|(_, ends)| ends.start < ends.end) {
            open.insert(partition.clone(), ends.end);
            from.push((partition.clone(), ends.start));
        }
        reader.assign(&from)?;
        while !open.is_empty() {
            for batch in reader.poll(FETCH, Duration::from_millis(100))? {
                let Some(end) = open.get(&batch.partition).copied() else { continue };
                for record in batch.records.into_iter().filter(|record| record.offset < end) {
                    each(&batch.partition, record);
                }
                if batch.position >= end {
                    open.remove(&batch.partition);
                    reader.unassign(std::slice::from_ref(&batch.partition))?;
                }
            }
        }
        Ok(())
    }
}
