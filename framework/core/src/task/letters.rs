//! Dead letters on their way out. They leave with the transaction that passes the record by.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fault::{Origin, Stage};
use super::{Task, TaskId};
use crate::dead_letter as header;
use crate::port::{LogError, Producer};
use crate::record::{Outgoing, TopicName};
use crate::state::{Cause, OVERHEAD};
use crate::time::Timestamp;

/// Bytes of an error's text that are kept.
const LONGEST_MESSAGE: usize = 4096;

/// How much of the record a letter carries: all of it, unless the dead-letter topic does not take that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Extent {
    /// As it came.
    Whole,
    /// Without the value.
    WithoutValue,
    /// Only what is said about it, at no time of its own.
    Bare,
}

impl Extent {
    pub(crate) fn less(self) -> Option<Extent> {
        match self {
            Extent::Whole => Some(Extent::WithoutValue),
            Extent::WithoutValue => Some(Extent::Bare),
            Extent::Bare => None,
        }
    }
}

/// One of them.
pub(super) struct Letter {
    pub(super) cause: Cause,
    pub(super) stage: Stage,
    pub(super) operator: Option<String>,
    pub(super) message: String,
    pub(super) origin: Origin,
    pub(super) extent: Extent,
}

type Headers<'a> = Vec<(&'a str, Option<&'a [u8]>)>;

/// Those of one task.
pub(super) struct Letters {
    app: String,
    task: TaskId,
    topic: TopicName,
    partitions: i32,
    /// Bytes the topic takes.
    limit: usize,
    waiting: Vec<Letter>,
    /// Written and not committed yet, by topic or operator they come from.
    written: BTreeMap<(String, Stage), u64>,
    /// Those of the commit under way.
    flying: BTreeMap<(String, Stage), u64>,
    /// Committed and not reported yet.
    committed: BTreeMap<(String, Stage), u64>,
    records: u64,
    bytes: u64,
}

impl Letters {
    pub(super) fn new(app: &str, task: TaskId, topic: TopicName, partitions: i32, limit: usize) -> Letters {
        Letters {
            app: app.to_owned(),
            task,
            topic,
            partitions: partitions.max(1),
            limit,
            waiting: Vec::new(),
            written: BTreeMap::new(),
            flying: BTreeMap::new(),
            committed: BTreeMap::new(),
            records: 0,
            bytes: 0,
        }
    }

    pub(super) fn push(&mut self, letter: Letter) {
        self.waiting.push(letter);
    }

    /// Hands all of them to the producer; if that fails, also answers whose letter it was.
    fn send(&mut self, producer: &mut dyn Producer, one_by_one: bool) -> Result<(), (LogError, Cause)> {
        for letter in std::mem::take(&mut self.waiting) {
            let sent = self.write(&letter, producer).and_then(|()| if one_by_one { producer.flush() } else { Ok(()) });
            sent.map_err(|error| (error, letter.cause.clone()))?;
            let place = match &letter.cause {
                Cause::Record { partition, .. } => partition.topic.to_string(),
                Cause::Timer { .. } => letter.operator.unwrap_or_default(),
            };
            *self.written.entry((place, letter.stage)).or_default() += 1;
        }
        Ok(())
    }

    fn write(&mut self, letter: &Letter, producer: &mut dyn Producer) -> Result<(), LogError> {
        let Origin { key, value, headers, timestamp } = &letter.origin;
        let message = cut(&letter.message);
        let time = timestamp.as_millis().to_string();
        let task = self.task.to_string();
        let (source, partition) = match &letter.cause {
            Cause::Record { partition, offset } => {
                let texts = [partition.topic.to_string(), partition.partition.to_string(), offset.to_string()];
                (Some(texts), partition.partition)
            }
            Cause::Timer { .. } => (None, self.task.partition),
        };
        let mut about: Headers<'_> = vec![(header::APP, Some(self.app.as_bytes())), (header::TASK, Some(task.as_bytes()))];
        if let Some([topic, partition, offset]) = &source {
            about.push((header::TOPIC, Some(topic.as_bytes())));
            about.push((header::PARTITION, Some(partition.as_bytes())));
            about.push((header::OFFSET, Some(offset.as_bytes())));
        }
        about.push((header::TIMESTAMP, Some(time.as_bytes())));
        about.push((header::STAGE, Some(letter.stage.as_str().as_bytes())));
        about.extend(letter.operator.as_ref().map(|operator| (header::OPERATOR, Some(operator.as_bytes()))));
        about.push((header::MESSAGE, Some(message.as_bytes())));

        let originals: Headers<'_> = headers.iter().map(|header| (&*header.key, header.value.as_deref())).collect();
        let mut extent = letter.extent;
        let (outgoing, size) = loop {
            let (key, value, originals, omitted) = match extent {
                Extent::Whole => (key.as_deref(), value.as_deref(), &originals[..], None),
                Extent::WithoutValue => (key.as_deref(), None, &originals[..], Some("value")),
                Extent::Bare => (None, None, &[][..], Some("key, value, headers")),
            };
            let mut all: Headers<'_> = originals.to_vec();
            all.extend(&about);
            all.extend(omitted.map(|omitted| (header::OMITTED, Some(omitted.as_bytes()))));
            let size = size_of(key, value, &all);
            match extent.less().filter(|_| size + OVERHEAD > self.limit) {
                Some(less) => extent = less,
                None => break ((key, value, all), size),
            }
        };
        let (key, value, headers) = outgoing;
        self.records += 1;
        self.bytes += size as u64;
        producer.send(Outgoing {
            topic: &self.topic,
            partition: partition.rem_euclid(self.partitions),
            key,
            value,
            // Below zero is written as no timestamp.
            timestamp: if extent == Extent::Bare { Timestamp::MIN } else { *timestamp },
            headers: &headers,
            track_offset: false,
        })
    }

    /// A commit takes along what was written.
    pub(super) fn launch(&mut self) {
        self.flying = std::mem::take(&mut self.written);
    }

    /// It succeeded.
    pub(super) fn committed(&mut self) {
        for (place, count) in std::mem::take(&mut self.flying) {
            *self.committed.entry(place).or_default() += count;
        }
    }

    /// Records and bytes written since the last call, under the topic's name.
    pub(super) fn take_produced(&mut self) -> Option<(TopicName, u64, u64)> {
        let counted = (std::mem::take(&mut self.records), std::mem::take(&mut self.bytes));
        (counted.0 > 0).then(|| (Arc::clone(&self.topic), counted.0, counted.1))
    }
}

impl Task {
    pub(super) fn has_letters(&self) -> bool {
        self.letters.as_ref().is_some_and(|letters| !letters.waiting.is_empty())
    }

    pub(super) fn send_letters(&mut self, producer: &mut dyn Producer) -> Result<(), LogError> {
        let Some(letters) = &mut self.letters else { return Ok(()) };
        if self.silent {
            // Who speaks has sent them, or will.
            letters.waiting.clear();
        }
        let traced = self.state.trace.is_some();
        letters.send(producer, traced).map_err(|(error, cause)| {
            // Otherwise it may be about something that was sent before.
            self.blamed = traced.then_some(super::Blame { cause, letter: true });
            error
        })
    }

    /// Dead letters committed since the last call, by place and stage.
    pub(crate) fn take_dead_letters(&mut self) -> Vec<(String, Stage, u64)> {
        let committed = self.letters.as_mut().map(|letters| std::mem::take(&mut letters.committed)).unwrap_or_default();
        committed.into_iter().map(|((place, stage), count)| (place, stage, count)).collect()
    }
}

/// The beginning of a text.
fn cut(text: &str) -> &str {
    let end = (0..=text.len().min(LONGEST_MESSAGE)).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

fn size_of(key: Option<&[u8]>, value: Option<&[u8]>, headers: &Headers<'_>) -> usize {
    let length = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
    // Each header has two lengths of up to five bytes.
    length(key) + length(value) + headers.iter().map(|(name, value)| 10 + name.len() + length(*value)).sum::<usize>()
}
