//! Timers and closed windows: entries of time-ordered stores that event time has passed.

use std::time::Duration;

use bytes::Bytes;

use super::{Task, TaskError, run};
use crate::operators::Step;
use crate::state::layout;
use crate::time::Timestamp;

/// Entries looked up at once.
const CHUNK: usize = 256;

/// A store whose entries become due as event time passes.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimedStore {
    /// The store within the task.
    pub(super) store: usize,
    /// The node it belongs to.
    pub(super) node: usize,
    /// The store's number among the node's.
    pub(super) slot: usize,
    /// How long after its time an entry is due.
    pub(super) delay: Duration,
}

impl Task {
    /// Fires everything due at or before `until`, in order of due time. Each firing is a step of its own.
    pub(super) fn fire_until(&mut self, until: Timestamp) -> Result<(), TaskError> {
        loop {
            let mut next: Vec<(Timestamp, TimedStore)> =
                self.timed.iter().map(|timed| (self.state.earliest(timed.store) + timed.delay, *timed)).collect();
            next.sort_by_key(|(due, _)| *due);
            let Some(&(due, timed)) = next.first() else { return Ok(()) };
            if due > until {
                return Ok(());
            }
            // Not beyond what another store may have due earlier.
            let limit = next.get(1).map_or(until, |(other, _)| until.min(*other));
            self.fire_chunk(timed, limit)?;
        }
    }

    /// Fires up to a chunk of one store's entries due at or before `limit`.
    fn fire_chunk(&mut self, timed: TimedStore, limit: Timestamp) -> Result<(), TaskError> {
        // The first time that is not due yet.
        let end = limit - timed.delay + Duration::from_millis(1);
        let entries = self.due_entries(timed, end)?;
        let full = entries.len() == CHUNK;
        let times: Vec<Timestamp> = entries.iter().map(|entry| time_of(entry)).collect();
        if entries.is_empty() {
            self.state.set_earliest(timed.store, end);
        }
        for (number, entry) in entries.iter().enumerate() {
            let time = times[number];
            let next = times.get(number + 1).copied().unwrap_or(if full { time } else { end });
            // A handler may set a timer that comes before the next of this chunk: writes lower this mark, and then the chunk is read anew.
            self.state.set_earliest(timed.store, next);
            self.fire(timed, time, entry)?;
            if self.state.earliest(timed.store) < next {
                return Ok(());
            }
        }
        Ok(())
    }

    fn due_entries(&self, timed: TimedStore, end: Timestamp) -> Result<Vec<Bytes>, TaskError> {
        let (mut from, mut to) = (Vec::new(), Vec::new());
        // Beginning at the earliest known entry keeps the scan off the tombstones of those fired before.
        layout::timed(self.state.earliest(timed.store), &[], &mut from);
        layout::timed(end, &[], &mut to);
        let entries = self.state.scan(timed.store, &from, Some(&to))?;
        Ok(entries.take(CHUNK).map(|entry| entry.map(|(key, _)| key)).collect::<Result<_, _>>()?)
    }

    fn fire(&mut self, timed: TimedStore, time: Timestamp, entry: &Bytes) -> Result<(), TaskError> {
        // An earlier firing may have cancelled it.
        if self.state.get(timed.store, entry)?.is_none() {
            return Ok(());
        }
        // Its records carry the time it was due; one set for a time already passed cannot take back what was promised.
        let watermark = (time + timed.delay).max(self.time);
        self.state.outbox.promise = self.time;
        self.state.put(timed.store, entry.clone(), None);
        let mut step = Step {
            graph: &self.graph,
            state: &mut self.state,
            node: timed.node,
            timestamp: time,
            watermark,
            partition: self.id.partition,
        };
        let node = &self.graph.nodes[timed.node];
        let Some(operator) = &node.operator else { return Ok(()) };
        let fired = run(|| operator.borrow_mut().due(timed.slot, time, &entry[8..], &mut step));
        match fired {
            Ok(()) => {
                self.state.keep_step();
                Ok(())
            }
            Err(failure) => {
                self.state.undo_step();
                if let Some(store) = failure.store_error() {
                    return Err(store.clone().into());
                }
                let (task, operator, message) = (self.id.clone(), node.name.clone(), failure.to_string());
                Err(TaskError::TimerFailed { task, operator, time, message })
            }
        }
    }
}

fn time_of(entry: &[u8]) -> Timestamp {
    layout::split_timed(entry).map_or(Timestamp::MIN, |(time, _)| time)
}
