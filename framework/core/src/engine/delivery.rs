//! Records on their way from the reader to the tasks.

use super::worker::{Stage, Worker};
use crate::port::{Batch, LogError};
use crate::record::TopicPartition;

impl Worker {
    /// Hands records to their tasks, and stops reading what a bounded run needs no more of.
    pub(super) fn deliver(&mut self, batches: Vec<Batch>) -> Result<(), LogError> {
        let received: Vec<TopicPartition> = batches.into_iter().filter_map(|batch| self.deliver_one(batch)).collect();
        for partition in &received {
            self.routes.remove(partition);
            self.paused.remove(partition);
        }
        if received.is_empty() { Ok(()) } else { self.reader.unassign(&received) }
    }

    /// Answers the partition if all that is needed of it has been received.
    fn deliver_one(&mut self, batch: Batch) -> Option<TopicPartition> {
        // Given up between the fetch and now: then nobody wants it.
        let id = self.routes.get(&batch.partition)?;
        let Some(Stage::Running(task)) = self.tasks.get_mut(id) else { return None };
        let input = task.inputs.iter().position(|input| input.partition == batch.partition)?;
        task.receive(input, batch);
        task.inputs[input].is_received().then(|| task.inputs[input].partition.clone())
    }
}
