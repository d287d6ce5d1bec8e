//! What a task writes: its operators' records, and markers that carry event time to partitions that got none.

use bytes::Bytes;

use super::header::{HEADER, TimeHeader};
use super::portion::Portion;
use super::{Blame, Task};
use crate::bounded::{Bounded, TimeRange};
use crate::port::{LogError, Producer};
use crate::record::{Outgoing, TopicName};
use crate::state::{Envelope, TaskState};
use crate::time::Timestamp;

/// Which partitions a round of markers is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Markers {
    /// Every one that does not know how far event time has come.
    All,
    /// Those among them that got nothing since the last round.
    Silent,
}

/// What a partition of a repartition topic was told last.
#[derive(Clone, Copy, Debug)]
struct Told {
    promise: Timestamp,
    idle: bool,
    ended: bool,
    /// By a record, since the last round of markers.
    spoken_to: bool,
}

impl Told {
    fn lacks(&self, now: (Timestamp, bool, bool), to: Markers) -> bool {
        (self.promise, self.idle, self.ended) != now && (to == Markers::All || !self.spoken_to)
    }
}

/// The moment a result belongs to, by its encoded key and its timestamp.
pub(crate) type Belongs = fn(&[u8], Timestamp) -> Timestamp;

/// What a bounded run does not say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Silence {
    /// Results of these times are written; none of them if there is no range.
    pub(super) says: Option<TimeRange>,
    /// None in a live run, which writes everything.
    pub(super) belongs: Option<Belongs>,
}

impl Silence {
    pub(super) fn covers(&self, key: &[u8], timestamp: Timestamp) -> bool {
        self.belongs.is_some_and(|belongs| !self.says.is_some_and(|says| says.contains(belongs(key, timestamp))))
    }
}

/// One topic a task writes to.
#[derive(Debug)]
pub(super) struct OutputTopic {
    topic: TopicName,
    /// By partition, for a repartition topic.
    told: Vec<Told>,
    /// Likewise: what is handed to the producer together.
    portions: Vec<Portion>,
    internal: bool,
    /// In a bounded run: which results are not written, and how many were not.
    silence: Silence,
    records: u64,
    bytes: u64,
}

impl OutputTopic {
    pub(super) fn new(topic: TopicName, internal: bool, partitions: i32) -> OutputTopic {
        let lanes = if internal { usize::try_from(partitions).unwrap_or(0) } else { 0 };
        let told = Told { promise: Timestamp::MIN, idle: false, ended: false, spoken_to: false };
        let portions = std::iter::repeat_with(Portion::default).take(lanes).collect();
        OutputTopic { topic, told: vec![told; lanes], portions, internal, silence: Silence::default(), records: 0, bytes: 0 }
    }

    /// Takes the bounds of a run into account.
    pub(super) fn within(mut self, bounds: &Bounded, belongs: Belongs) -> OutputTopic {
        if !self.internal {
            let topic = bounds.output(&self.topic);
            self.silence = Silence { says: topic.is_some().then_some(bounds.says), belongs: Some(belongs) };
            self.topic = topic.unwrap_or(self.topic);
        }
        self
    }

    /// Has a record of a repartition topic wait for others of its partition; none if it is no such topic.
    fn gather(&mut self, record: &Envelope<'_>, lane: i32) -> Option<&mut Portion> {
        let (promise, carried) = (record.promise, record.carried);
        let partition = usize::try_from(record.partition).ok()?;
        *self.told.get_mut(partition)? = Told { promise, idle: false, ended: false, spoken_to: true };
        let portion = self.portions.get_mut(partition)?;
        portion.add(record, &TimeHeader { lane, promise, carried, idle: false, ended: false });
        Some(portion)
    }

    /// Hands over what has waited.
    fn send_gathered(&mut self, producer: &mut dyn Producer) -> Result<(), LogError> {
        let mut portions = self.portions.iter_mut().zip(0..);
        portions.try_for_each(|(portion, partition)| portion.send(&self.topic, partition, producer))
    }
}

/// Hands a record of an output to the producer.
fn send(topic: &TopicName, record: &Envelope<'_>, producer: &mut dyn Producer) -> Result<(), LogError> {
    producer.send(Outgoing {
        topic,
        partition: record.partition,
        key: Some(record.key),
        value: Some(record.value),
        timestamp: record.timestamp,
        headers: &[],
        track_offset: false,
    })
}

impl Task {
    /// Whether records wait to be sent.
    pub(crate) fn has_output(&self) -> bool {
        !self.state.outbox.is_empty() || self.has_letters()
    }

    /// Hands the waiting records to the producer. While a fault is searched for, those of each cause are acknowledged before the next.
    pub(crate) fn send_outputs(&mut self, producer: &mut dyn Producer) -> Result<(), LogError> {
        let Task { state, outputs, id, blamed, silent, .. } = self;
        let TaskState { outbox, trace, .. } = state;
        let (mut sent, is_traced) = (0, trace.is_some());
        // What is left there by a send that failed is still in the outbox.
        outputs.iter_mut().flat_map(|output| &mut output.portions).for_each(Portion::clear);
        outbox.show(|envelope| {
            let output = &mut outputs[envelope.sink];
            if (*silent && !output.internal) || output.silence.covers(envelope.key, envelope.timestamp) {
                return Ok(());
            }
            output.records += 1;
            output.bytes += (envelope.key.len() + envelope.value.len()) as u64;
            let mut result = match output.gather(&envelope, id.partition) {
                Some(portion) if portion.is_full() || is_traced => output.send_gathered(producer),
                Some(_) => Ok(()),
                None => send(&output.topic, &envelope, producer),
            };
            if let Some(trace) = trace.as_ref() {
                sent += 1;
                if trace.is_last(sent) {
                    result = result.and_then(|()| producer.flush());
                }
                if result.is_err() {
                    *blamed = trace.cause_of(sent).map(|cause| Blame { cause, letter: false });
                }
            }
            result
        })?;
        outputs.iter_mut().try_for_each(|output| output.send_gathered(producer))?;
        outbox.clear();
        if let Some(trace) = trace {
            trace.sent();
        }
        self.send_letters(producer)
    }

    /// Who is at fault if the changelog refuses this key.
    pub(crate) fn blame_writer(&mut self, store: usize, key: &Bytes) {
        let writer = self.state.trace.as_ref().and_then(|trace| trace.writer_of(store, key));
        self.blamed = writer.map(|cause| Blame { cause, letter: false });
    }

    /// Whether a partition of a repartition topic does not know yet how far event time has come here.
    pub(crate) fn has_markers(&self, to: Markers) -> bool {
        let now = (self.time, self.is_idle(), self.has_finished);
        self.outputs.iter().any(|output| output.told.iter().any(|told| told.lacks(now, to)))
    }

    /// From now on a partition must be spoken to again to count as such.
    pub(crate) fn end_marker_round(&mut self) {
        self.outputs.iter_mut().flat_map(|output| &mut output.told).for_each(|told| told.spoken_to = false);
    }

    /// Tells event time to the partitions that do not know it. A marker that would repeat what was told is not sent.
    pub(crate) fn send_markers(&mut self, to: Markers, producer: &mut dyn Producer) -> Result<(), LogError> {
        let (promise, idle, ended) = (self.time, self.is_idle(), self.has_finished);
        for output in &mut self.outputs {
            for (partition, told) in output.told.iter_mut().enumerate().filter(|(_, told)| told.lacks((promise, idle, ended), to))
            {
                let time = TimeHeader { lane: self.id.partition, promise, carried: promise, idle, ended }.encode();
                producer.send(Outgoing {
                    topic: &output.topic,
                    partition: partition as i32,
                    key: None,
                    value: None,
                    timestamp: promise.max(Timestamp::from_millis(0)),
                    headers: &[(HEADER, Some(&time[..]))],
                    track_offset: false,
                })?;
                *told = Told { promise, idle, ended, spoken_to: false };
            }
        }
        self.end_marker_round();
        Ok(())
    }

    /// Records and bytes written per topic since the last call.
    pub(crate) fn take_produced(&mut self) -> Vec<(TopicName, u64, u64)> {
        let written = self.outputs.iter_mut().filter(|output| output.records > 0);
        let outputs =
            written.map(|output| (output.topic.clone(), std::mem::take(&mut output.records), std::mem::take(&mut output.bytes)));
        outputs.chain(self.letters.as_mut().and_then(super::Letters::take_produced)).collect()
    }

    /// Whether no input holds event time back any more.
    fn is_idle(&self) -> bool {
        self.reading().is_none_or(|reading| reading.idle)
    }
}
