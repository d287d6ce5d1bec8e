use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use headwater_core::port::{Log, LogError, Producer, ProducerConfig};
use headwater_core::{Codec, Json};
use headwater_core::{Outgoing, Timestamp, TopicName, partition_for};
use headwater_kafka::KafkaLog;
use ledger::{TRANSFERS, Transfer, Transfers};

/// How long to wait when ahead of the rate.
const TICK: Duration = Duration::from_millis(20);

/// Writes the transfers of a seed: some at once, then at a rate until it is stopped.
pub(super) struct Generator {
    stop: Sender<()>,
    thread: JoinHandle<Result<u64, LogError>>,
    written: Arc<AtomicU64>,
}

/// What to write.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    pub(super) seed: u64,
    pub(super) accounts: u64,
    pub(super) partitions: i32,
    /// Transfers written as fast as possible.
    pub(super) at_once: u64,
    /// Transfers per second after that; 0: none.
    pub(super) rate: u64,
}

impl Generator {
    pub(super) fn start(log: KafkaLog, flow: Flow) -> Generator {
        let (stop, stopped) = channel::<()>();
        let written = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&written);
        let thread = std::thread::spawn(move || {
            let mut producer = log.producer(&ProducerConfig { transactional_id: None })?;
            producer.init()?;
            let (topic, mut began) = (TopicName::from(TRANSFERS), Instant::now());
            for transfer in Transfers::new(flow.seed, flow.accounts) {
                if transfer.id == flow.at_once {
                    producer.flush()?;
                    began = Instant::now();
                }
                if transfer.id >= flow.at_once {
                    let due = |elapsed: Duration| flow.at_once + (elapsed.as_secs_f64() * flow.rate as f64) as u64;
                    while transfer.id >= due(began.elapsed()) {
                        if stopped.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout) {
                            producer.flush()?;
                            return Ok(transfer.id);
                        }
                    }
                }
                write(producer.as_mut(), &topic, flow.partitions, &transfer)?;
                counted.store(transfer.id + 1, Ordering::Relaxed);
            }
            Ok(0)
        });
        Generator { stop, thread, written }
    }

    /// Transfers written so far.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Ends it; answers how many were written, all of them acknowledged.
    pub(super) fn stop(self) -> u64 {
        drop(self.stop);
        let written = self.thread.join().expect("the generator does not panic");
        written.unwrap_or_else(|error| panic!("the generator failed: {error}"))
    }
}

fn write(producer: &mut dyn Producer, topic: &TopicName, partitions: i32, transfer: &Transfer) -> Result<(), LogError> {
    let key = transfer.account.as_bytes();
    let mut value = Vec::new();
    <Json as Codec<Transfer>>::encode(transfer, &mut value).map_err(|error| LogError::Fatal(error.to_string()))?;
    producer.send(Outgoing {
        topic,
        partition: partition_for(Some(key), partitions, 0),
        key: Some(key),
        value: Some(&value),
        timestamp: Timestamp::from_millis(transfer.at),
        headers: &[],
        track_offset: false,
    })
}
