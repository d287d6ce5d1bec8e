//! Delivering to systems outside of the log. A task's writers live as long as the worker has the task: an abort, after which the task
//! begins again where it was committed, costs no new connection.

use std::collections::BTreeMap;

use super::error::EngineError;
use super::worker::{Stage, Worker};
use crate::blueprint::TaskId;
use crate::port::{Delivery, SinkError, SinkWriter};
use crate::task::{TaskSink, caught};

/// One sink of one task that something was delivered to.
struct Open {
    name: String,
    writer: Box<dyn SinkWriter>,
    /// It was handed something since its last flush.
    unflushed: bool,
}

/// The writers of a worker's tasks, opened when they are first needed.
#[derive(Default)]
pub(super) struct Writers(BTreeMap<TaskId, Vec<Option<Open>>>);

/// What a sink could not do.
struct SinkFailure {
    sink: String,
    task: TaskId,
    doing: &'static str,
    error: SinkError,
}

impl Writers {
    /// Lets go of a task's.
    pub(super) fn close(&mut self, task: &TaskId) {
        if let Some(mut writers) = self.0.remove(task) {
            writers.iter_mut().for_each(discard);
        }
    }

    /// Whether anything was delivered that is not lasting yet.
    pub(super) fn are_unflushed(&self) -> bool {
        self.0.values().flatten().flatten().any(|open| open.unflushed)
    }

    fn deliver(&mut self, task: &TaskId, number: usize, sink: &TaskSink, delivery: Delivery<'_>) -> Result<(), SinkFailure> {
        let failure = |doing, error| SinkFailure { sink: sink.name.clone(), task: task.clone(), doing, error };
        let writers = self.0.entry(task.clone()).or_default();
        if writers.len() <= number {
            writers.resize_with(number + 1, || None);
        }
        let open = match &mut writers[number] {
            Some(open) => open,
            empty => {
                let writer = run(|| sink.sink.open(&task.to_string())).map_err(|error| failure("open", error))?;
                empty.insert(Open { name: sink.name.clone(), writer, unflushed: false })
            }
        };
        open.unflushed = true;
        run(|| open.writer.deliver(delivery)).map_err(|error| failure("deliver", error))
    }

    fn flush(&mut self) -> Result<(), SinkFailure> {
        for (task, writers) in &mut self.0 {
            for open in writers.iter_mut().flatten().filter(|open| open.unflushed) {
                let failure = |error| SinkFailure { sink: open.name.clone(), task: task.clone(), doing: "flush", error };
                run(|| open.writer.flush()).map_err(failure)?;
                open.unflushed = false;
            }
        }
        Ok(())
    }

    /// The transaction was aborted.
    pub(super) fn discard(&mut self) {
        self.0.values_mut().flatten().for_each(discard);
    }
}

/// A writer that cannot even forget is not used again.
fn discard(slot: &mut Option<Open>) {
    if let Some(open) = slot.as_mut().filter(|open| open.unflushed) {
        open.unflushed = false;
        if caught(|| open.writer.discard()).is_err() {
            *slot = None;
        }
    }
}

/// Runs a sink's code. A panic would come again.
fn run<T>(code: impl FnOnce() -> Result<T, SinkError>) -> Result<T, SinkError> {
    caught(code).unwrap_or_else(|panic| Err(SinkError::Fatal(panic)))
}

impl Worker {
    /// Hands over what a task has to deliver.
    pub(super) fn deliver_from(&mut self, id: &TaskId) -> Result<(), EngineError> {
        let Some(Stage::Running(task)) = self.tasks.get_mut(id) else { return Ok(()) };
        if !task.has_deliveries() {
            return Ok(());
        }
        let writers = &mut self.writers;
        match task.deliver(|task, number, sink, delivery| writers.deliver(task, number, sink, delivery)) {
            Ok(()) => Ok(()),
            Err(failure) => self.sink_failed(failure),
        }
    }

    /// Before a commit: hands over the rest and makes all of it lasting. False if that failed and everything begins again.
    pub(super) fn settle_sinks(&mut self) -> Result<bool, EngineError> {
        let waiting = |(id, stage): (&TaskId, &Stage)| match stage {
            Stage::Running(task) if task.has_deliveries() => Some(id.clone()),
            _ => None,
        };
        let waiting: Vec<TaskId> = self.tasks.iter().filter_map(waiting).collect();
        let aborted = self.report.aborted.len();
        for id in waiting {
            self.deliver_from(&id)?;
        }
        if let Err(failure) = self.writers.flush() {
            self.sink_failed(failure)?;
        }
        Ok(self.report.aborted.len() == aborted)
    }

    fn sink_failed(&mut self, failure: SinkFailure) -> Result<(), EngineError> {
        let SinkFailure { sink, task, doing, error } = failure;
        match error {
            SinkError::Retriable(why) => self.abort_and_replay(&format!("sink {sink:?} of task {task} failed to {doing}: {why}")),
            SinkError::Fatal(message) => Err(EngineError::Sink { sink, task, doing, message }),
        }
    }
}
