use std::collections::BTreeMap;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use headwater_core::TopicPartition;
use headwater_core::port::{Log, LogError, Reader, ReaderConfig};
use headwater_kafka::KafkaLog;

/// How often the ends are looked at.
const TICK: Duration = Duration::from_millis(200);
/// The stores of the ledger application, by whose names its changelogs are called.
const STORES: [&str; 2] = ["accounts", "branch-minutes"];

/// The ends of changelogs at one moment, markers included.
pub(super) type Ends = BTreeMap<TopicPartition, i64>;

/// How the ends of the changelogs move on.
pub(super) struct Changelogs {
    history: Arc<Mutex<Vec<(Instant, Ends)>>>,
    reader: Box<dyn Reader>,
    partitions: Vec<TopicPartition>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Changelogs {
    /// Begins to look; the topics must exist.
    pub(super) fn watch(log: &KafkaLog, partitions: i32) -> Result<Changelogs, LogError> {
        let topic = |store: &str| format!("{}-{store}-changelog", ledger::NAME);
        let all = STORES.iter().flat_map(|store| (0..partitions).map(move |p| TopicPartition::new(topic(store).as_str(), p)));
        let partitions: Vec<TopicPartition> = all.collect();
        let config = ReaderConfig { group: "proof".into(), read_uncommitted: true };
        let (reader, mut looking) = (log.reader(&config)?, log.reader(&config)?);
        let history: Arc<Mutex<Vec<(Instant, Ends)>>> = Arc::default();
        let (stop, stopped) = channel::<()>();
        let (kept, watched) = (Arc::clone(&history), partitions.clone());
        let thread = std::thread::spawn(move || {
            while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                let at = Instant::now();
                if let Ok(ends) = look(looking.as_mut(), &watched) {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push((at, ends));
                }
            }
        });
        Ok(Changelogs { history, reader, partitions, stop: Some(stop), thread: Some(thread) })
    }

    /// The ends as of now.
    pub(super) fn now(&mut self) -> Result<Ends, LogError> {
        look(self.reader.as_mut(), &self.partitions)
    }

    /// The ends at a moment, or shortly before it.
    pub(super) fn at(&self, moment: Instant) -> Option<Ends> {
        let history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        history.iter().rev().find(|(at, _)| *at <= moment).map(|(_, ends)| ends.clone())
    }
}

/// What was written to a store's changelog between two moments, in the partitions that `of` is true of.
pub(super) fn written(store: &str, from: &Ends, to: &Ends, of: impl Fn(i32) -> bool) -> u64 {
    let topic = format!("{}-{store}-changelog", ledger::NAME);
    let own = to.iter().filter(|(partition, _)| *partition.topic == *topic && of(partition.partition));
    own.map(|(partition, end)| u64::try_from(end - from.get(partition).copied().unwrap_or(0)).unwrap_or(0)).sum()
}

fn look(reader: &mut dyn Reader, partitions: &[TopicPartition]) -> Result<Ends, LogError> {
    let ends = reader.ends(partitions)?;
    Ok(partitions.iter().cloned().zip(ends.into_iter().map(|ends| ends.end)).collect())
}

impl Drop for Changelogs {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
