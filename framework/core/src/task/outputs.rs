//! What a task writes: its operators' records, and markers that carry event time to partitions that got none.

use super::Task;
use super::header::{HEADER, TimeHeader};
use crate::port::{LogError, Producer};
use crate::record::{Outgoing, TopicName};
use crate::time::Timestamp;

/// One topic a task writes to.
#[derive(Debug)]
pub(super) struct OutputTopic {
    topic: TopicName,
    /// For a repartition topic: the promise and idleness each partition was told last.
    told: Vec<(Timestamp, bool)>,
    internal: bool,
    records: u64,
    bytes: u64,
}

impl OutputTopic {
    pub(super) fn new(topic: TopicName, internal: bool, partitions: i32) -> OutputTopic {
        let lanes = if internal { usize::try_from(partitions).unwrap_or(0) } else { 0 };
        OutputTopic { topic, told: vec![(Timestamp::MIN, false); lanes], internal, records: 0, bytes: 0 }
    }
}

impl Task {
    /// Whether records wait to be sent.
    pub(crate) fn has_output(&self) -> bool {
        !self.state.outbox.is_empty()
    }

    /// Hands the waiting records to the producer.
    pub(crate) fn send_outputs(&mut self, producer: &mut dyn Producer) -> Result<(), LogError> {
        let Task { state, outputs, id, .. } = self;
        state.outbox.drain(|envelope| {
            let output = &mut outputs[envelope.sink];
            output.records += 1;
            output.bytes += (envelope.key.len() + envelope.value.len()) as u64;
            let time =
                TimeHeader { lane: id.partition, promise: envelope.promise, carried: envelope.carried, idle: false }.encode();
            if let Some(told) = usize::try_from(envelope.partition).ok().and_then(|p| output.told.get_mut(p)) {
                *told = (envelope.promise, false);
            }
            producer.send(Outgoing {
                topic: &output.topic,
                partition: envelope.partition,
                key: Some(envelope.key),
                value: Some(envelope.value),
                timestamp: envelope.timestamp,
                header: output.internal.then_some((HEADER, &time[..])),
                track_offset: false,
            })
        })
    }

    /// Whether a partition of a repartition topic does not know yet how far event time has come here.
    pub(crate) fn has_markers(&self) -> bool {
        let now = (self.time, self.is_idle());
        self.outputs.iter().any(|output| output.told.iter().any(|told| *told != now))
    }

    /// Tells event time to the partitions that do not know it. A marker that would repeat what was told is not sent.
    pub(crate) fn send_markers(&mut self, producer: &mut dyn Producer) -> Result<(), LogError> {
        let now = (self.time, self.is_idle());
        for output in &mut self.outputs {
            for (partition, told) in output.told.iter_mut().enumerate().filter(|(_, told)| **told != now) {
                let (promise, idle) = now;
                let time = TimeHeader { lane: self.id.partition, promise, carried: promise, idle }.encode();
                producer.send(Outgoing {
                    topic: &output.topic,
                    partition: partition as i32,
                    key: None,
                    value: None,
                    timestamp: promise.max(Timestamp::from_millis(0)),
                    header: Some((HEADER, &time[..])),
                    track_offset: false,
                })?;
                *told = now;
            }
        }
        Ok(())
    }

    /// Records and bytes written per topic since the last call.
    pub(crate) fn take_produced(&mut self) -> Vec<(TopicName, u64, u64)> {
        let written = self.outputs.iter_mut().filter(|output| output.records > 0);
        written
            .map(|output| (output.topic.clone(), std::mem::take(&mut output.records), std::mem::take(&mut output.bytes)))
            .collect()
    }

    /// Whether no input holds event time back any more.
    fn is_idle(&self) -> bool {
        self.reading().is_none_or(|reading| reading.idle)
    }
}
