use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use headwater_benches::Job;
use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::topic_partition_list::TopicPartitionList;

use crate::native;

const LIMIT: Duration = Duration::from_secs(60);

/// Counts what was not delivered.
#[derive(Clone, Default)]
pub(crate) struct Reports(Arc<AtomicU64>);

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if result.is_err() {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

pub(crate) fn text(what: &str) -> impl Fn(KafkaError) -> String {
    move |error| format!("{what}: {error}")
}

pub(crate) fn consumer(job: &Job) -> Result<BaseConsumer, String> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &job.bootstrap)
        .set("group.id", &job.app)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        .set("isolation.level", if job.exactly_once { "read_committed" } else { "read_uncommitted" })
        .set("queued.min.messages", "100000")
        .set("queued.max.messages.kbytes", "65536")
        .set("max.partition.fetch.bytes", "4194304")
        .set("fetch.wait.max.ms", "50")
        // By default a full queue stops fetching for a whole second.
        .set("fetch.queue.backoff.ms", "2");
    config.create().map_err(text("a consumer"))
}

/// Milliseconds: long where only records per second count, short where every record is waited for.
fn linger(job: &Job) -> &str {
    match job.linger.as_str() {
        "" if job.awaited > 0 => "1",
        "" => "20",
        asked => asked,
    }
}

/// The sending side of one worker.
pub(crate) struct Sender {
    producer: ThreadedProducer<Reports>,
    reports: Reports,
    exactly_once: bool,
}

impl Sender {
    pub(crate) fn new(job: &Job, worker: usize) -> Result<Sender, String> {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &job.bootstrap)
            .set("enable.idempotence", "true")
            .set("linger.ms", linger(job))
            .set("compression.type", if job.compression.is_empty() { "lz4" } else { &job.compression })
            .set("queue.buffering.max.messages", "500000")
            .set("queue.buffering.max.kbytes", "1048576");
        if job.exactly_once {
            config.set("transactional.id", format!("{}-{worker}", job.app));
        }
        let reports = Reports::default();
        let producer: ThreadedProducer<Reports> = config.create_with_context(reports.clone()).map_err(text("a producer"))?;
        let sender = Sender { producer, reports, exactly_once: job.exactly_once };
        if job.exactly_once {
            sender.producer.init_transactions(LIMIT).map_err(text("registering the transactional id"))?;
            sender.begin()?;
        }
        Ok(sender)
    }

    fn begin(&self) -> Result<(), String> {
        self.producer.begin_transaction().map_err(text("a transaction cannot begin"))
    }

    pub(crate) fn send(&self, topic: &str, partition: i32, key: &[u8], value: &[u8], timestamp: i64) -> Result<(), String> {
        let mut record = BaseRecord::to(topic).partition(partition).key(key).payload(value).timestamp(timestamp);
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    record = back;
                    self.producer.poll(Duration::from_millis(1));
                }
                Err((error, _)) => return Err(format!("sending to {topic}: {error}")),
            }
        }
    }

    /// Commits what was sent, with these positions.
    pub(crate) fn commit(&self, positions: &TopicPartitionList, consumer: &BaseConsumer, is_last: bool) -> Result<(), String> {
        native::flush(&self.producer, LIMIT)?;
        let failed = self.reports.0.load(Ordering::Relaxed);
        if failed > 0 {
            return Err(format!("{failed} records were not delivered"));
        }
        if !self.exactly_once {
            return consumer.commit(positions, CommitMode::Sync).map_err(text("committing positions"));
        }
        let group = consumer.group_metadata().ok_or("the consumer has no group")?;
        self.producer.send_offsets_to_transaction(positions, &group, LIMIT).map_err(text("adding positions"))?;
        self.producer.commit_transaction(LIMIT).map_err(text("committing"))?;
        if is_last { Ok(()) } else { self.begin() }
    }
}
