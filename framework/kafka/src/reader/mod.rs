//! Reading partitions the engine chooses, from the offsets it chooses.

mod cursors;
mod decode;
pub(crate) mod offsets;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use headwater_core::port::{Batch, Committed, Ends, LogError, Reader, ReaderConfig, TopicId};
use headwater_core::{Timestamp, TopicName, TopicPartition};
use rdkafka::ClientConfig;
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::config::KafkaConfig;
use crate::error::is_denied;
use crate::native::{self, Assignment, Client, ConsumerQueue, TxnError};
use crate::options;
use crate::shared_clients::SharedClients;
use cursors::Cursors;
use decode::{Decoder, Failure};

/// A [`Reader`] on a librdkafka consumer that assigns itself and so never joins its group.
pub(crate) struct KafkaReader {
    config: KafkaConfig,
    reader: ReaderConfig,
    queue: ConsumerQueue,
    assignment: Assignment,
    client: Arc<Client>,
    /// Of which one asks about logs, whatever the isolation level of what reads them.
    shared: Arc<SharedClients>,
    /// Reads committed; opened when committed offsets are asked for and `client` does not.
    stable: Option<Arc<Client>>,
    /// Topics whose leaders `client` was told.
    known: BTreeSet<TopicName>,
    /// Topics of whose records nobody looks at the headers.
    headerless: BTreeSet<TopicName>,
    cursors: Cursors,
    decoder: Decoder,
    failures: Vec<Failure>,
}

/// How long a client may take to learn the leaders of a topic before it is left to find them on its own.
const LEADERS: Duration = Duration::from_millis(500);

impl KafkaReader {
    pub(crate) fn new(
        config: &KafkaConfig,
        reader: &ReaderConfig,
        shared: &Arc<SharedClients>,
        options: fn(&KafkaConfig, &str, bool, usize) -> ClientConfig,
        fetch_ahead: usize,
    ) -> Result<KafkaReader, LogError> {
        let options = options(config, &reader.group, reader.read_uncommitted, fetch_ahead);
        let client = offsets::open(config, "reader", options)?;
        let queue = ConsumerQueue::new(&client).ok_or_else(|| LogError::Fatal("a reader needs a group".into()))?;
        Ok(KafkaReader {
            config: config.clone(),
            reader: reader.clone(),
            queue,
            assignment: Assignment(client.clone()),
            client,
            shared: Arc::clone(shared),
            stable: None,
            known: BTreeSet::new(),
            headerless: BTreeSet::new(),
            cursors: Cursors::default(),
            decoder: Decoder::default(),
            failures: Vec::new(),
        })
    }

    /// Stops reading those of the partitions that are read.
    fn stop(&mut self, partitions: &[TopicPartition]) -> Result<TopicPartitionList, LogError> {
        let (mut stopped, mut was_paused) = (TopicPartitionList::new(), TopicPartitionList::new());
        for partition in partitions {
            if let Some(cursor) = self.cursors.remove(partition) {
                stopped.add_partition(&partition.topic, partition.partition);
                if cursor.paused {
                    was_paused.add_partition(&partition.topic, partition.partition);
                }
            }
        }
        self.failures.retain(|f| !partitions.iter().any(|p| *p.topic == *f.topic && p.partition == f.partition));
        if stopped.count() > 0 {
            self.assignment.remove(&stopped).map_err(|error| failed("stopping to read", error))?;
        }
        Ok(was_paused)
    }

    /// Has the client know who leads these partitions. On its own librdkafka asks for one new topic at once, and for what was added meanwhile
    /// only when it looks round a second later.
    fn learn_leaders(&mut self, partitions: &[(TopicPartition, i64)]) {
        for (partition, _) in partitions {
            if !self.known.contains(&partition.topic) && self.client.fetch_metadata(Some(&partition.topic), LEADERS).is_ok() {
                self.known.insert(partition.topic.clone());
            }
        }
    }

    fn set_paused(&mut self, partitions: &[TopicPartition], paused: bool) -> Result<(), LogError> {
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            if let Some(cursor) = self.cursors.get_mut(&partition.topic, partition.partition)
                && cursor.paused != paused
            {
                cursor.paused = paused;
                list.add_partition(&partition.topic, partition.partition);
            }
        }
        if list.count() == 0 {
            return Ok(());
        }
        let done = if paused { self.assignment.pause(&list) } else { self.assignment.resume(&list) };
        done.map_err(|code| LogError::Fatal(format!("{}: {code}", if paused { "pausing" } else { "resuming" })))
    }

    /// The oldest failure that still stands, as an error.
    fn take_failure(&mut self) -> Option<LogError> {
        while !self.failures.is_empty() {
            let failure = self.failures.remove(0);
            let partition = TopicPartition::new(failure.topic.as_str(), failure.partition);
            let is = |code: Code| code as i32 == failure.code;
            if is(Code::AutoOffsetReset) || is(Code::OffsetOutOfRange) {
                match self.out_of_range(&partition) {
                    Ok(None) => continue,
                    Ok(Some(error)) => return Some(error),
                    Err(error) => {
                        // librdkafka gave up on the partition: asked again at the next poll, or it would never be read again.
                        self.failures.push(failure);
                        return Some(error);
                    }
                }
            }
            if is(Code::UnknownTopicOrPartition) || is(Code::UnknownTopic) || is(Code::UnknownPartition) {
                match self.missing(&partition) {
                    Ok(()) => continue,
                    Err(error @ LogError::UnknownTopic { .. }) => return Some(error),
                    Err(error) => {
                        self.failures.push(failure);
                        return Some(error);
                    }
                }
            }
            let text = format!("reading {partition}: {}", failure.text);
            let denied =
                [Code::TopicAuthorizationFailed, Code::GroupAuthorizationFailed].into_iter().any(|c| is(c) && is_denied(c));
            return Some(if denied { LogError::Fatal(text) } else { LogError::Retriable(text) });
        }
        None
    }

    /// librdkafka gave up on a partition because a broker does not know it, as one that was just started may not: fails if it really
    /// is not there, else reads on.
    fn missing(&mut self, partition: &TopicPartition) -> Result<(), LogError> {
        let Some(position) = self.cursors.get_mut(&partition.topic, partition.partition).map(|cursor| cursor.position) else {
            return Ok(());
        };
        offsets::missing(&self.client, "reading", std::slice::from_ref(partition))?;
        self.assign(&[(partition.clone(), position)])
    }

    /// librdkafka gave up on a partition because of its position. It tells neither the position reliably nor the bounds,
    /// and the news may be about an older position: so both are looked at, and reading goes on if they agree by now.
    fn out_of_range(&mut self, partition: &TopicPartition) -> Result<Option<LogError>, LogError> {
        let Some(offset) = self.cursors.get_mut(&partition.topic, partition.partition).map(|cursor| cursor.position) else {
            return Ok(None);
        };
        let log = self.ends(std::slice::from_ref(partition))?[0];
        if (log.start..=log.end).contains(&offset) {
            self.assign(&[(partition.clone(), offset)])?;
            return Ok(None);
        }
        Ok(Some(LogError::OutOfRange { partition: partition.clone(), offset, log }))
    }
}

impl Reader for KafkaReader {
    fn leave_out_headers(&mut self, topics: &[TopicName]) {
        self.headerless.extend(topics.iter().cloned());
    }

    fn assign(&mut self, partitions: &[(TopicPartition, i64)]) -> Result<(), LogError> {
        let names: Vec<TopicPartition> = partitions.iter().map(|(partition, _)| partition.clone()).collect();
        let was_paused = self.stop(&names)?;
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for (partition, offset) in partitions {
            list.add_partition(&partition.topic, partition.partition)
                .set_offset(Offset::Offset(*offset))
                .map_err(|_| LogError::Fatal(format!("offset {offset} of {partition} is out of range: offsets start at 0")))?;
        }
        if partitions.is_empty() {
            return Ok(());
        }
        self.learn_leaders(partitions);
        self.assignment.add(&list).map_err(|error| failed("starting to read", error))?;
        if was_paused.count() > 0 {
            self.assignment.resume(&was_paused).map_err(|code| LogError::Fatal(format!("resuming: {code}")))?;
        }
        for (partition, offset) in partitions {
            self.cursors.insert(partition, *offset, !self.headerless.contains(&partition.topic));
        }
        Ok(())
    }

    fn unassign(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError> {
        let was_paused = self.stop(partitions)?;
        // The mark would still be there when the partition comes back.
        if was_paused.count() > 0 {
            self.assignment.resume(&was_paused).map_err(|code| LogError::Fatal(format!("resuming: {code}")))?;
        }
        Ok(())
    }

    fn pause(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError> {
        self.set_paused(partitions, true)
    }

    fn resume(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError> {
        self.set_paused(partitions, false)
    }

    fn poll(&mut self, max_records: usize, timeout: Duration) -> Result<Vec<Batch>, LogError> {
        if let Some(error) = self.take_failure() {
            return Err(error);
        }
        let (cursors, decoder, failures) = (&mut self.cursors, &mut self.decoder, &mut self.failures);
        let batches =
            self.queue.fetch(max_records.max(1), timeout, |messages| decoder.decode(messages, wall_time(), cursors, failures));
        // Records that came before a failure are handed over first; the failure is the next poll's.
        if batches.is_empty()
            && let Some(error) = self.take_failure()
        {
            return Err(error);
        }
        Ok(batches)
    }

    fn committed(&mut self, partitions: &[TopicPartition]) -> Result<Vec<Option<Committed>>, LogError> {
        if !self.reader.read_uncommitted {
            return offsets::committed(&self.client, partitions);
        }
        if self.stable.is_none() {
            self.stable =
                Some(offsets::open(&self.config, "offsets", options::reader(&self.config, &self.reader.group, false, 1 << 20))?);
        }
        self.stable.as_ref().map_or(Ok(Vec::new()), |client| offsets::committed(client, partitions))
    }

    fn ends(&mut self, partitions: &[TopicPartition]) -> Result<Vec<Ends>, LogError> {
        offsets::ends(&*self.shared.uncommitted(&self.config)?, partitions)
    }

    fn topic_ids(&mut self, topics: &[TopicName]) -> Result<Vec<Option<TopicId>>, LogError> {
        offsets::topic_ids(&*self.shared.uncommitted(&self.config)?, topics)
    }

    fn cached_end(&self, partition: &TopicPartition) -> Option<i64> {
        native::cached_high_watermark(&self.client, &partition.topic, partition.partition)
    }
}

/// The one clock of this adapter: what the engine takes for the latest time at which a record can have been appended.
#[expect(clippy::disallowed_methods, reason = "the adapter is where the clock is asked")]
fn wall_time() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn failed(what: &str, error: TxnError) -> LogError {
    LogError::Fatal(format!("{what}: {}", error.text))
}
