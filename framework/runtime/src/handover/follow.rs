use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_core::port::{Log, LogError, Reader, ReaderConfig};
use headwater_core::{Plan, TopicPartition};

use super::old::is_drained;

/// The new generation as its committed positions tell, whoever of its processes did the work.
pub(super) struct Follower {
    reader: Box<dyn Reader>,
    inputs: Vec<TopicPartition>,
    repartitions: Vec<TopicPartition>,
}

impl Follower {
    pub(super) fn of(plan: &Plan, log: &dyn Log) -> Result<Follower, LogError> {
        let reader = log.reader(&ReaderConfig { group: plan.blueprint().app().to_owned(), read_uncommitted: false })?;
        let outside = plan.blueprint().input_topics();
        let all = plan.tasks().into_iter().flat_map(|task| {
            let partition = task.partition;
            plan.inputs_of(&task).into_iter().map(move |topic| TopicPartition { topic, partition })
        });
        let (inputs, repartitions) = all.partition(|partition| outside.iter().any(|topic| **topic == *partition.topic));
        Ok(Follower { reader, inputs, repartitions })
    }

    pub(super) fn inputs(&self) -> &[TopicPartition] {
        &self.inputs
    }

    pub(super) fn partitions(&self) -> Vec<TopicPartition> {
        self.inputs.iter().chain(&self.repartitions).cloned().collect()
    }

    /// Offsets of the inputs between where it is and how far it may go.
    pub(super) fn behind(&mut self, fences: &Arc<BTreeMap<TopicPartition, i64>>) -> Result<u64, LogError> {
        let committed = self.reader.committed(&self.inputs)?;
        let ends = self.reader.ends(&self.inputs)?;
        let mut behind = 0;
        for ((partition, committed), ends) in self.inputs.iter().zip(committed).zip(ends) {
            let position = committed.map_or(ends.start, |committed| committed.offset);
            let fence = fences.get(partition).copied().unwrap_or(0);
            behind += u64::try_from(fence.saturating_sub(position)).unwrap_or(0);
        }
        Ok(behind)
    }

    /// Whether nothing is on its way through its repartition topics.
    pub(super) fn is_drained(&mut self) -> Result<bool, LogError> {
        is_drained(self.reader.as_mut(), &self.repartitions)
    }
}
