//! Writing: records, transactions, and offsets that belong to them.

mod commit;
mod deliveries;
mod topics;
mod under_way;

pub(crate) use deliveries::{Deliveries, Undelivered};
pub(crate) use under_way::UnderWay;

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use headwater_core::port::{Committed, Entry, GroupMetadata, LogError, Producer, ProducerConfig};
use headwater_core::{Outgoing, Timestamp, TopicName, TopicPartition};
use rdkafka::error::RDKafkaErrorCode as Code;

use crate::config::KafkaConfig;
use crate::context::Context;
use crate::error::{from_delivery, from_transaction};
use crate::groups::positions;
use crate::native::{self, Client, Payload, Role, Sender, Tag, Taken, Transactions};
use crate::options;
use crate::secrets::Secrets;
use commit::OffsetsSent;
use topics::Topics;
use under_way::Marked;

/// Sends between two looks at the delivery reports.
const SERVE_EVERY: usize = 256;
/// How long a producer waits for a connection before it registers all the same.
const CONNECTED: Duration = Duration::from_secs(1);
/// One slice of a wait that is repeated until something is known.
const SLICE: Duration = Duration::from_secs(5);

/// A [`Producer`] on librdkafka.
///
/// Timestamps: Kafka has no negative ones, so those are written as "no timestamp"; the epoch itself (0 ms) is written
/// as 1 ms, because librdkafka takes 0 for "now" and a replay must not depend on the time of day. Changelogs and repartition topics have the time of day all the same: nobody reads
/// theirs (values carry their own), librdkafka has no times for several records at once, and brokers do not begin a new segment for each week of an old input.
pub(crate) struct KafkaProducer {
    client: Arc<Client>,
    sender: Sender,
    transactions: Option<Transactions>,
    topics: Topics,
    unserved: usize,
    marked: Marked,
    /// Offsets on their way to the group, without a transaction.
    offsets: Option<OffsetsSent>,
    transaction_timeout: Duration,
    largest_record: usize,
}

impl KafkaProducer {
    pub(crate) fn new(config: &KafkaConfig, producer: &ProducerConfig) -> Result<KafkaProducer, LogError> {
        let secrets = Secrets::of(&config.rdkafka);
        let options = options::producer(config, producer.transactional_id.as_deref());
        let client = native::open(&options, Role::Producer, Context::new("producer", secrets.clone()))
            .map_err(|error| options::refusal(error, &secrets))?;
        Ok(KafkaProducer {
            sender: Sender(client.clone()),
            transactions: producer.transactional_id.as_ref().map(|_| Transactions(client.clone())),
            client,
            topics: Topics::default(),
            unserved: 0,
            marked: Marked::default(),
            offsets: None,
            transaction_timeout: config.transaction_timeout,
            largest_record: options::largest_record(&options),
        })
    }

    /// The place of a topic.
    fn topic(&mut self, name: &TopicName) -> Result<usize, LogError> {
        let topic = self.topics.find(name, &self.sender);
        topic.ok_or_else(|| LogError::Fatal(format!("{name:?} cannot be the name of a topic")))
    }

    /// Looks at the delivery reports now and then, before so many records are sent.
    fn serve_before(&mut self, records: usize) {
        self.unserved += records;
        if self.unserved >= SERVE_EVERY {
            self.unserved = 0;
            native::serve(&self.client, Duration::ZERO);
        }
    }

    fn tag(&self, tracked: bool) -> Tag {
        Tag { tracked, side: self.transactions.is_none().then_some(self.marked.side) }
    }

    fn deliveries(&self) -> MutexGuard<'_, Deliveries> {
        self.client.context().deliveries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no offsets are on their way to the group, whatever became of them.
    fn settle_offsets(&mut self) {
        if let Some(offsets) = self.offsets.take() {
            offsets.settle();
        }
    }

    /// The error that made the whole producer useless, if one did.
    fn fatal(&self) -> Option<LogError> {
        let (code, text) = self.client.fatal_error()?;
        let error = native::TxnError { code: code as i32, text, fatal: true, retriable: false, abort: false };
        Some(from_transaction(&error, "the producer is unusable"))
    }

    /// What librdkafka's code for a record it did not take means.
    fn not_taken(&self, code: i32, record: &Outgoing<'_>) -> LogError {
        let target = TopicPartition::new(record.topic.clone(), record.partition);
        let is = |c: Code| c as i32 == code;
        if let Some(fatal) = self.fatal() {
            return fatal;
        }
        if is(Code::UnknownTopic) || is(Code::UnknownTopicOrPartition) {
            return LogError::UnknownTopic { topic: record.topic.to_string() };
        }
        if is(Code::UnknownPartition) {
            return LogError::Fatal(format!("{target} does not exist: the topic has fewer partitions"));
        }
        if is(Code::MessageSizeTooLarge) {
            let size = record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len);
            let reason = format!("its {size} bytes are more than the client's message.max.bytes ({})", self.largest_record);
            return LogError::Refused { partition: target, reason };
        }
        if is(Code::State) {
            // A record refused before made the transaction abortable: that refusal is the news, and its report may not be served yet.
            self.sender.flush(SLICE);
            return match self.deliveries().take_failure() {
                Some(failure) => from_delivery(failure),
                None => LogError::AbortTransaction(format!("{target} takes no records: no transaction is open, or it failed")),
            };
        }
        LogError::Fatal(format!("a record for {target} was not taken: librdkafka's error {code}"))
    }
}

impl Producer for KafkaProducer {
    fn init(&mut self) -> Result<(), LogError> {
        let Some(transactions) = &self.transactions else { return Ok(()) };
        // Told to register before it has a connection librdkafka looks for one again half a second later.
        native::connect(&self.client, CONNECTED);
        // A predecessor's open transaction is settled on the way, and its coordinator may have to load first. A broker that is away
        // may come back: the caller decides for how long it asks.
        match transactions.init(SLICE) {
            Ok(()) => Ok(()),
            Err(error) if error.retriable => {
                native::serve(&self.client, Duration::ZERO);
                let last = self.client.context().last_error().map_or(error.text, |last| last.text);
                Err(LogError::Retriable(format!("the transactional id is not registered yet: {last}")))
            }
            Err(error) => Err(from_transaction(&error, "registering the transactional id")),
        }
    }

    fn begin(&mut self) -> Result<(), LogError> {
        match &self.transactions {
            Some(transactions) => transactions.begin().map_err(|error| from_transaction(&error, "opening a transaction")),
            None => Ok(()),
        }
    }

    fn send(&mut self, record: Outgoing<'_>) -> Result<(), LogError> {
        let topic = self.topic(record.topic)?;
        let payload = Payload {
            partition: record.partition,
            key: record.key,
            value: record.value,
            timestamp: match record.timestamp.as_millis() {
                ..0 => -1,
                0 => 1,
                millis => millis,
            },
            headers: record.headers,
            tag: self.tag(record.track_offset),
        };
        self.serve_before(1);
        loop {
            match self.sender.send(self.topics.at(topic), &payload) {
                Ok(()) => {
                    if let Some(side) = payload.tag.side {
                        self.client.context().under_way.left(side);
                    }
                    return Ok(());
                }
                // Room comes with delivery reports; every record gets one, at the latest when its time is up.
                Err(code) if code == Code::QueueFull as i32 => native::serve(&self.client, Duration::from_millis(10)),
                Err(code) => return Err(self.not_taken(code, &record)),
            }
        }
    }

    fn send_all(
        &mut self,
        topic: &TopicName,
        partition: i32,
        mut entries: &[Entry<'_>],
        timestamp: Timestamp,
        track_offset: bool,
    ) -> Result<(), (usize, LogError)> {
        let (all, place) = (entries.len(), self.topic(topic).map_err(|error| (0, error))?);
        let tag = self.tag(track_offset);
        self.serve_before(all);
        while !entries.is_empty() {
            let Taken { taken, refused } = self.topics.at(place).send_all(partition, entries, tag);
            if let Some(side) = tag.side {
                (0..taken).for_each(|_| self.client.context().under_way.left(side));
            }
            match refused {
                None if taken == entries.len() => entries = &[],
                None => {
                    return Err((
                        all - entries.len(),
                        LogError::Fatal(format!("{taken} of {} records were taken, without an error", entries.len())),
                    ));
                }
                // Room comes with delivery reports; behind the first that had none nothing was taken.
                Some((number, code)) if code == Code::QueueFull as i32 => {
                    entries = &entries[number..];
                    native::serve(&self.client, Duration::from_millis(10));
                }
                Some((number, code)) => {
                    let (key, value) = entries[number];
                    let (key, headers) = (Some(key), [].as_slice());
                    let record = Outgoing { topic, partition, key, value, timestamp, headers, track_offset };
                    return Err((all - entries.len() + number, self.not_taken(code, &record)));
                }
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), LogError> {
        loop {
            let done = self.sender.flush(Duration::from_secs(1));
            if let Some(fatal) = self.fatal() {
                return Err(fatal);
            }
            let failure = self.deliveries().take_failure();
            if let Some(failure) = failure {
                return Err(from_delivery(failure));
            }
            if done {
                return Ok(());
            }
        }
    }

    fn commit(&mut self, offsets: &[(TopicPartition, Committed)], group: &GroupMetadata) -> Result<(), LogError> {
        self.flush()?;
        let Some(transactions) = &self.transactions else {
            self.commit_offsets(offsets, group)?;
            while !self.offsets_committed(SLICE)? {}
            return Ok(());
        };
        // Without positions nobody asks whose they are.
        let handle = if offsets.is_empty() { None } else { Some(commit::handle(group)?) };
        let metadata = handle.as_ref().map(|handle| &handle.metadata);
        commit::in_transaction(transactions, &positions(offsets)?, metadata, self.transaction_timeout)
    }

    fn mark(&mut self) {
        self.marked.set(&self.client.context().under_way);
    }

    fn acknowledged(&mut self) -> Result<bool, LogError> {
        native::serve(&self.client, Duration::ZERO);
        if let Some(fatal) = self.fatal() {
            return Err(fatal);
        }
        let failure = self.deliveries().take_failure();
        match failure {
            Some(failure) => Err(from_delivery(failure)),
            None => Ok(self.marked.is_passed(&self.client.context().under_way)),
        }
    }

    fn commit_offsets(&mut self, offsets: &[(TopicPartition, Committed)], group: &GroupMetadata) -> Result<(), LogError> {
        self.offsets = if offsets.is_empty() { None } else { Some(OffsetsSent::send(offsets, group)?) };
        Ok(())
    }

    fn offsets_committed(&mut self, timeout: Duration) -> Result<bool, LogError> {
        let answer = self.offsets.as_mut().map_or(Ok(true), |offsets| offsets.poll(timeout));
        if !matches!(answer, Ok(false)) {
            self.offsets = None;
        }
        answer
    }

    fn abort(&mut self) -> Result<(), LogError> {
        let aborted = match &self.transactions {
            Some(transactions) => commit::abort(transactions, self.transaction_timeout),
            None => {
                // What is on its way cannot be called back; once it has arrived its reports are not mistaken for those of later records.
                while !self.sender.flush(Duration::from_secs(1)) && self.fatal().is_none() {}
                // Nor can offsets. Whatever the answer is, after it the committed positions stand.
                self.settle_offsets();
                Ok(())
            }
        };
        // What was dropped on purpose is no refusal, and offsets of aborted records mean nothing.
        let mut deliveries = self.deliveries();
        deliveries.take_failure();
        deliveries.take_offsets();
        aborted
    }

    fn take_delivered(&mut self) -> Vec<(TopicPartition, i64)> {
        self.deliveries().take_offsets()
    }

    fn largest_record(&self) -> usize {
        self.largest_record
    }
}

impl Drop for KafkaProducer {
    fn drop(&mut self) {
        // Where it is let go of, what is committed is looked up next.
        self.settle_offsets();
        self.sender.purge();
    }
}
