use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use headwater_core::port::{LogError, Reader};

use super::signals::Signals;

const POLL: Duration = Duration::from_millis(200);
const RECORDS: usize = 20_000;

/// When results were there for a reader of committed records.
#[derive(Default)]
pub(super) struct Arrivals {
    records: AtomicU64,
    /// By partition: the offset behind each batch, and when it came. What is in them is looked at later: it would take time from those measured.
    batches: Mutex<BTreeMap<i32, Vec<(i64, Instant)>>>,
}

impl Arrivals {
    /// Reads until it is over and nothing more comes.
    pub(super) fn listen(&self, mut reader: Box<dyn Reader>, signals: &Signals) -> Result<(), LogError> {
        loop {
            let batches = match reader.poll(RECORDS, POLL) {
                Err(LogError::Retriable(_)) => continue,
                polled => polled?,
            };
            let now = Instant::now();
            let mut heard = false;
            for batch in &batches {
                let Some(last) = batch.records.last() else { continue };
                heard = true;
                self.batches().entry(batch.partition.partition).or_default().push((last.offset + 1, now));
                self.records.fetch_add(batch.records.len() as u64, Ordering::Relaxed);
            }
            if !heard && signals.is_over() {
                return Ok(());
            }
        }
    }

    /// How many there are.
    pub(super) fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// When the record of this offset came, or if there is none, the next one.
    pub(super) fn at(&self, partition: i32, offset: i64) -> Option<Instant> {
        let batches = self.batches();
        let batches = batches.get(&partition)?;
        batches.get(batches.partition_point(|(behind, _)| *behind <= offset)).map(|(_, at)| *at)
    }

    fn batches(&self) -> MutexGuard<'_, BTreeMap<i32, Vec<(i64, Instant)>>> {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
