//! Knowing when an application has caught up with its inputs.

use std::time::Duration;

use headwater_core::port::{Log, LogError, Reader, ReaderConfig};
use headwater_core::{Plan, TopicPartition};

use crate::positions::standings;

/// Watches how much of its topics an application has left to do.
pub struct Backlog {
    reader: Box<dyn Reader>,
    partitions: Vec<TopicPartition>,
}

impl Backlog {
    /// A watcher of the application of this plan.
    pub fn of(plan: &Plan, log: &dyn Log) -> Result<Backlog, LogError> {
        let group = plan.blueprint().app().to_owned();
        let reader = log.reader(&ReaderConfig { group, read_uncommitted: false })?;
        let inputs = |task| {
            let partition = |topic| TopicPartition { topic, partition: task_partition(&task) };
            plan.inputs_of(&task).into_iter().map(partition).collect::<Vec<_>>()
        };
        Ok(Backlog { reader, partitions: plan.tasks().into_iter().flat_map(inputs).collect() })
    }

    /// Offsets not committed yet, inputs and repartition topics together, transaction markers included. Zero means that everything in
    /// the topics has been processed and committed: tasks come before those that read what they write, so nothing slips through.
    pub fn remaining(&mut self) -> Result<u64, LogError> {
        let mut remaining = 0;
        for partition in &self.partitions {
            for standing in standings(self.reader.as_mut(), std::slice::from_ref(partition))? {
                remaining += u64::try_from(standing.end - standing.position).unwrap_or(0);
            }
        }
        Ok(remaining)
    }

    /// A fitting pause between two looks.
    pub const PAUSE: Duration = Duration::from_millis(100);
}

fn task_partition(task: &headwater_core::TaskId) -> i32 {
    task.partition
}
