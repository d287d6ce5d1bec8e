//! Knowing how far a bounded run is, from what its group has committed: any process can tell, whoever did the work.

use std::sync::Arc;

use super::Bounded;
use crate::blueprint::Plan;
use crate::port::{Committed, LogError, Reader};
use crate::record::TopicPartition;
use crate::task::lanes_ended;
use crate::topology::SourceRole;

/// How far a bounded run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Offsets of the inputs, transaction markers included.
    pub total: u64,
    /// Those that are processed and committed.
    pub done: u64,
    /// Partitions, repartition topics included, that are not read to their end.
    pub open: usize,
}

impl Progress {
    /// Whether nothing is left to do.
    pub fn is_complete(&self) -> bool {
        self.open == 0
    }
}

/// How far a bounded run is in a partition of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputProgress {
    /// The partition.
    pub partition: TopicPartition,
    /// Its offsets that are read, transaction markers included.
    pub total: u64,
    /// Those that are processed and committed.
    pub done: u64,
}

/// Looks at a bounded run.
pub struct Completion {
    bounds: Arc<Bounded>,
    inputs: Vec<TopicPartition>,
    repartitions: Vec<(TopicPartition, usize)>,
}

impl Completion {
    /// Of the run that this plan describes; none if the plan is not bounded.
    pub fn of(plan: &Plan) -> Option<Completion> {
        let bounds = Arc::clone(plan.bounded()?);
        let (mut inputs, mut repartitions) = (Vec::new(), Vec::new());
        for task in plan.tasks() {
            for (topic, role) in plan.roles_of(&task) {
                let lanes = usize::try_from(plan.lanes_of(&topic)).unwrap_or(0);
                let partition = TopicPartition { topic, partition: task.partition };
                match role {
                    SourceRole::Repartition => repartitions.push((partition, lanes)),
                    SourceRole::Stream | SourceRole::Table => inputs.push(partition),
                }
            }
        }
        Some(Completion { bounds, inputs, repartitions })
    }

    /// Where each partition of its inputs ends of which it reads anything.
    pub fn ends(&self) -> impl Iterator<Item = (TopicPartition, i64)> {
        let ends = self.inputs.iter().map(|partition| (partition, self.bounds.span(partition)));
        ends.filter(|(_, span)| !span.is_empty()).map(|(partition, span)| (partition.clone(), span.end))
    }

    /// Asks for the committed positions.
    ///
    /// # Errors
    /// Those of [`Reader::committed`].
    pub fn look(&self, reader: &mut dyn Reader) -> Result<Progress, LogError> {
        self.look_closely(reader).map(|(progress, _)| progress)
    }

    /// The same, and how far it is in each partition of its inputs of which it reads anything.
    ///
    /// # Errors
    /// Those of [`Reader::committed`].
    pub fn look_closely(&self, reader: &mut dyn Reader) -> Result<(Progress, Vec<InputProgress>), LogError> {
        let (mut progress, mut inputs) = (Progress::default(), Vec::new());
        for (partition, committed) in self.inputs.iter().zip(reader.committed(&self.inputs)?) {
            let span = self.bounds.span(partition);
            if span.is_empty() {
                continue;
            }
            let position = committed.map_or(span.start, |committed| committed.offset).clamp(span.start, span.end);
            let total = u64::try_from(span.end - span.start).unwrap_or(0);
            let done = u64::try_from(position - span.start).unwrap_or(0);
            progress.total += total;
            progress.done += done;
            progress.open += usize::from(position < span.end);
            inputs.push(InputProgress { partition: partition.clone(), total, done });
        }
        let partitions: Vec<TopicPartition> = self.repartitions.iter().map(|(partition, _)| partition.clone()).collect();
        for ((_, lanes), committed) in self.repartitions.iter().zip(reader.committed(&partitions)?) {
            let has_ended = |committed: Committed| lanes_ended(&committed.metadata, *lanes);
            progress.open += usize::from(!committed.is_some_and(has_ended));
        }
        Ok((progress, inputs))
    }
}
