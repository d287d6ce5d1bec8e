use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use headwater_core::port::{Batch, Log, LogError, ReaderConfig};
use headwater_core::{Codec, Json, TopicPartition};
use headwater_kafka::KafkaLog;
use ledger::{BALANCES, Balance};

use super::diary::Diary;
use super::scan::partitions;

/// Violations told at once; all of them are found again at the end.
const TOLD: u64 = 3;

/// Reads `balances` as it is committed: what goes wrong is told beside the action that preceded it, and how long nothing came is known.
pub(super) struct Tail {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

/// What the tail saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Results read.
    pub(super) records: u64,
    /// The longest time in which a partition got nothing, and which.
    pub(super) longest_gap: Option<(Duration, TopicPartition)>,
    latest: HashMap<String, u64>,
    arrived: HashMap<TopicPartition, Instant>,
    positions: HashMap<TopicPartition, i64>,
    wrong: u64,
}

impl Tail {
    /// Begins; the topic must exist.
    pub(super) fn start(log: KafkaLog, diary: Arc<Diary>) -> Tail {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut seen = Seen::default();
            while !stopped.load(Ordering::Relaxed) {
                if let Err(error) = seen.follow(&log, &stopped, &diary) {
                    diary.note(format_args!("  the watcher of {BALANCES} begins anew: {error}"));
                }
            }
            seen
        });
        Tail { stop, thread }
    }

    /// Ends it.
    pub(super) fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the tail does not panic")
    }
}

impl Seen {
    fn follow(&mut self, log: &KafkaLog, stop: &AtomicBool, diary: &Diary) -> Result<(), LogError> {
        let mut reader = log.reader(&ReaderConfig { group: "chaos-tail".into(), read_uncommitted: false })?;
        let all = partitions(log, BALANCES)?;
        let from = |partition: TopicPartition| {
            let position = self.positions.get(&partition).copied().unwrap_or(0);
            (partition, position)
        };
        reader.assign(&all.into_iter().map(from).collect::<Vec<_>>())?;
        while !stop.load(Ordering::Relaxed) {
            match reader.poll(10_000, Duration::from_millis(100)) {
                Err(LogError::Retriable(_)) => {}
                batches => batches?.iter().for_each(|batch| self.take(batch, diary)),
            }
        }
        Ok(())
    }

    fn take(&mut self, batch: &Batch, diary: &Diary) {
        self.positions.insert(batch.partition.clone(), batch.position);
        if batch.records.is_empty() {
            return;
        }
        let now = Instant::now();
        if let Some(before) = self.arrived.insert(batch.partition.clone(), now) {
            let gap = now - before;
            if self.longest_gap.as_ref().is_none_or(|(longest, _)| gap > *longest) {
                self.longest_gap = Some((gap, batch.partition.clone()));
            }
        }
        for record in &batch.records {
            let value = record.value.as_deref().unwrap_or_default();
            let Ok(balance) = <Json as Codec<Balance>>::decode(value) else { continue };
            self.records += 1;
            let latest = self.latest.entry(balance.account).or_default();
            if balance.seq != *latest + 1 {
                self.wrong += 1;
                if self.wrong <= TOLD {
                    let (place, offset) = (&batch.partition, record.offset);
                    diary.violation(format_args!("{place}@{offset}: seq {} of an account after its seq {latest}", balance.seq));
                }
            }
            *latest = balance.seq;
        }
    }
}
