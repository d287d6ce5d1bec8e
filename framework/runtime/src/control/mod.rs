//! The application's control topic `<app>-control`: what all its processes must agree on. One partition, compacted, read whole.

mod tail;

use std::time::Duration;

use headwater_core::port::{GroupMetadata, Log, LogError, NewTopic, Producer, ProducerConfig, ReaderConfig};
use headwater_core::{ControlState, Outgoing, Timestamp, TopicName};

use crate::RunError;
use crate::clock::wall_clock;

pub(crate) use tail::Tail;

/// How long the topic may take where nobody waits for the answer to go on with a hand-over or a start.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// Tries to be the one who writes, when others try too.
const TRIES: u32 = 20;

/// A record to be written; without a value it removes what the key had.
pub(crate) type ControlRecord = (String, Option<String>);

pub(crate) struct Control<'a> {
    log: &'a dyn Log,
    app: &'a str,
    topic: TopicName,
}

impl<'a> Control<'a> {
    pub(crate) fn of(app: &'a str, topic: &str, log: &'a dyn Log) -> Control<'a> {
        Control { log, app, topic: topic.into() }
    }

    /// Makes the topic unless it exists.
    pub(crate) fn create(&self, replication: Option<i32>) -> Result<(), RunError> {
        let mut admin = self.log.admin()?;
        // Asking is quicker than being told by whoever makes topics that there is one.
        if admin.describe(&[self.topic.to_string()])?.is_empty() {
            tracing::info!(topic = %self.topic, partitions = 1, "creating topic");
            admin.create(&[new_topic(&self.topic, replication)])?;
        }
        Ok(())
    }

    /// What the topic says now; nothing where it does not exist. [`LogError::Retriable`] if it cannot be read within `limit`.
    pub(crate) fn read(&self, limit: Duration) -> Result<Option<ControlState>, RunError> {
        let mut reader = self.log.restore_reader(&ReaderConfig { group: self.app.to_owned(), read_uncommitted: false })?;
        // Asked for its end, a topic that is missing is waited for; the first start of an application would do so in vain.
        if let Err(LogError::UnknownTopic { .. }) = reader.topic_ids(std::slice::from_ref(&self.topic)) {
            return Ok(None);
        }
        let mut tail = Tail::of(&self.topic, reader);
        match tail.look(limit).map(drop) {
            Err(RunError::Log(LogError::UnknownTopic { .. })) => Ok(None),
            looked => looked.map(|()| Some(tail.into_state())),
        }
    }

    /// What the topic says now, as far as it exists: for commands, which have [`PATIENCE`].
    pub(crate) fn state(&self) -> Result<ControlState, RunError> {
        Ok(self.read(PATIENCE)?.unwrap_or_default())
    }

    /// Writes what `decide` makes of the topic's contents, all of it or nothing, and nobody else writes in between: whoever
    /// registers the application's control id fences the one before, and only then looks.
    pub(crate) fn update(
        &self,
        limit: Duration,
        mut decide: impl FnMut(&ControlState) -> Result<Vec<ControlRecord>, RunError>,
    ) -> Result<(), RunError> {
        let mut tried = 0;
        loop {
            match self.try_update(limit, &mut decide) {
                Err(RunError::Log(LogError::Fenced(why) | LogError::AbortTransaction(why) | LogError::Retriable(why)))
                    if tried < TRIES =>
                {
                    tracing::info!(topic = %self.topic, why, "another process writes to the control topic; trying again");
                    tried += 1;
                    pause(tried);
                }
                result => return result,
            }
        }
    }

    fn try_update(
        &self,
        limit: Duration,
        decide: &mut impl FnMut(&ControlState) -> Result<Vec<ControlRecord>, RunError>,
    ) -> Result<(), RunError> {
        let (mut claim, state) = self.claim(limit)?;
        let records = decide(&state)?;
        claim.write(&records, wall_clock())
    }

    /// Fences whoever claimed before, and only then looks: what is written under the claim is written by nobody else in between. Later writes
    /// fail with [`LogError::Fenced`] once somebody else has claimed.
    pub(crate) fn claim(&self, limit: Duration) -> Result<(Claim, ControlState), RunError> {
        let producer = self.fence()?;
        let state = self.read(limit)?.unwrap_or_default();
        Ok((Claim { producer, topic: TopicName::clone(&self.topic), app: self.app.to_owned() }, state))
    }

    /// Fences whoever claimed before. A transaction that was left open is over then: until it is, nobody can read on behind it.
    pub(crate) fn fence(&self) -> Result<Box<dyn Producer>, LogError> {
        let mut producer = self.log.producer(&ProducerConfig { transactional_id: Some(self.topic.to_string()) })?;
        producer.init()?;
        Ok(producer)
    }

    /// A producer of records that nobody competes for.
    pub(crate) fn plain(&self) -> Result<Plain, RunError> {
        let mut producer = self.log.producer(&ProducerConfig { transactional_id: None })?;
        producer.init()?;
        Ok(Plain { producer, topic: TopicName::clone(&self.topic) })
    }
}

/// A control topic that is to be made.
pub(crate) fn new_topic(name: &str, replication: Option<i32>) -> NewTopic {
    let config = [("cleanup.policy", "compact"), ("message.timestamp.type", "CreateTime")];
    let config = config.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    NewTopic { name: name.to_owned(), partitions: 1, replication, config }
}

/// The right to write to a control topic, until somebody else claims it.
pub(crate) struct Claim {
    producer: Box<dyn Producer>,
    topic: TopicName,
    app: String,
}

impl Claim {
    /// Writes all of the records or nothing.
    pub(crate) fn write(&mut self, records: &[ControlRecord], now: Timestamp) -> Result<(), RunError> {
        if records.is_empty() {
            return Ok(());
        }
        self.producer.begin()?;
        records.iter().try_for_each(|record| send(self.producer.as_mut(), &self.topic, record, now))?;
        Ok(self.producer.commit(&[], &GroupMetadata::none(self.app.as_str()))?)
    }
}

/// See [`Control::plain`].
pub(crate) struct Plain {
    producer: Box<dyn Producer>,
    topic: TopicName,
}

impl Plain {
    /// Writes a record; it is in the topic when this returns.
    pub(crate) fn write(&mut self, record: &ControlRecord, now: Timestamp) -> Result<(), RunError> {
        send(self.producer.as_mut(), &self.topic, record, now)?;
        Ok(self.producer.flush()?)
    }
}

fn send(
    producer: &mut dyn Producer,
    topic: &TopicName,
    (key, value): &ControlRecord,
    timestamp: Timestamp,
) -> Result<(), LogError> {
    producer.send(Outgoing {
        topic,
        partition: 0,
        key: Some(key.as_bytes()),
        value: value.as_ref().map(String::as_bytes),
        timestamp,
        headers: &[],
        track_offset: false,
    })
}

/// Longer each time, and not the same in two processes that meet.
#[expect(clippy::disallowed_methods, reason = "a pause on purpose: two processes must not fence each other for ever")]
fn pause(tried: u32) {
    let spread = u64::from(std::process::id() % 40);
    std::thread::sleep(Duration::from_millis(u64::from(tried) * 20 + spread));
}
