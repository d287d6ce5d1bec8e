//! Timers and closed windows: entries of time-ordered stores that event time has passed.

use std::time::Duration;

use bytes::Bytes;

use super::fault::{Fault, Origin, Stage, run};
use super::{Task, TaskError};
use crate::failure::{Failure, Refused};
use crate::operators::Step;
use crate::state::{Cause, Mark, layout};
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
    /// Whether somebody is told. Otherwise what is due is removed, and that is all.
    pub(super) is_told: bool,
}

impl Task {
    /// Fires everything due at or before `until`, in order of due time, then of store, then of key: the order does not depend on how
    /// far event time came at once. Each firing is a step of its own.
    pub(super) fn fire_until(&mut self, until: Timestamp) -> Result<(), TaskError> {
        while let Some((number, limit)) = self.next_due(until)? {
            self.fire_chunk(number, limit)?;
        }
        Ok(())
    }

    /// When the last entry of all time-ordered stores is due; the earliest moment there is if they are empty.
    pub(super) fn last_due(&self) -> Result<Timestamp, TaskError> {
        let mut last = Timestamp::MIN;
        for timed in &self.timed {
            if let Some(entry) = self.state.scan(timed.store, &[], None)?.last() {
                last = last.max(layout::time_of(&entry?.0) + timed.delay);
            }
        }
        Ok(last)
    }

    /// The store whose turn it is, and how far it may go before it is another one's.
    fn next_due(&mut self, until: Timestamp) -> Result<Option<(usize, Timestamp)>, TaskError> {
        let mut first: Option<(usize, Timestamp)> = None;
        for number in 0..self.timed.len() {
            // A mark may be earlier than any entry. Unless it is made true first, stores without entries would pass the turn to each
            // other one millisecond at a time.
            if self.timed.len() > 1 && self.first_due(number) <= until {
                let (_, first) = self.due_entries(self.timed[number], Timestamp::MIN, 0)?;
                self.state.set_mark(self.timed[number].store, first);
            }
            let due = self.first_due(number);
            if due <= until && first.is_none_or(|(_, earliest)| due < earliest) {
                first = Some((number, due));
            }
        }
        let Some((number, _)) = first else { return Ok(None) };
        let others = (0..self.timed.len()).filter(|other| *other != number).map(|other| self.last_before(number, other));
        Ok(Some((number, others.fold(until, Timestamp::min))))
    }

    /// No entry of the store is due before this.
    fn first_due(&self, number: usize) -> Timestamp {
        let timed = self.timed[number];
        self.state.mark(timed.store).time() + timed.delay
    }

    /// The last due time at which an entry of `number` comes before any of `other`; where both are due the lower number goes first.
    fn last_before(&self, number: usize, other: usize) -> Timestamp {
        let theirs = self.first_due(other);
        if other < number { theirs - Duration::from_millis(1) } else { theirs }
    }

    /// Fires up to a chunk of one store's entries due at or before `limit`, or removes all of them if nobody is told.
    fn fire_chunk(&mut self, number: usize, limit: Timestamp) -> Result<(), TaskError> {
        let timed = self.timed[number];
        let end = first_not_due(timed, limit);
        if !timed.is_told {
            let mut key = Vec::new();
            layout::timed(end, &[], &mut key);
            return Ok(self.state.expire(timed.store, &key)?);
        }
        let (entries, beyond) = self.due_entries(timed, end, CHUNK)?;
        // The first that handlers set in this store meanwhile.
        let mut set = Mark::Nowhere;
        for (place, entry) in entries.iter().enumerate() {
            self.state.set_mark(timed.store, Mark::Nowhere);
            self.fire(timed, layout::time_of(entry), entry)?;
            let next = entries.get(place + 1).map_or_else(|| beyond.clone(), |entry| Mark::From(entry.clone()));
            set = set.min(self.state.set_mark(timed.store, Mark::Nowhere));
            self.state.set_mark(timed.store, set.clone().min(next.clone()));
            // What a handler set may come before the rest of this chunk, here or in another store.
            let others = (0..self.timed.len()).filter(|other| *other != number);
            if set <= next || others.into_iter().any(|other| self.last_before(number, other) < next.time() + timed.delay) {
                return Ok(());
            }
        }
        if entries.is_empty() {
            self.state.set_mark(timed.store, beyond);
        }
        Ok(())
    }

    /// Up to so many entries with times before `end`, and where those begin that follow.
    fn due_entries(&self, timed: TimedStore, end: Timestamp, most: usize) -> Result<(Vec<Bytes>, Mark), TaskError> {
        let mut due = Vec::new();
        // Beginning at the mark keeps the scan off the tombstones of those fired before.
        let Some(from) = self.state.mark(timed.store).key() else { return Ok((due, Mark::Nowhere)) };
        for entry in self.state.scan(timed.store, from, None)? {
            let (key, _) = entry?;
            if due.len() == most || layout::time_of(&key) >= end {
                return Ok((due, Mark::From(key)));
            }
            due.push(key);
        }
        Ok((due, Mark::Nowhere))
    }

    fn fire(&mut self, timed: TimedStore, time: Timestamp, entry: &Bytes) -> Result<(), TaskError> {
        // An earlier firing may have cancelled it.
        if self.state.read(timed.store, entry, |value| value.is_none())? {
            return Ok(());
        }
        let cause = || Cause::Timer { store: timed.store, entry: entry.clone() };
        let Err(failure) = self.attempt_due(timed, time, entry) else { return Ok(()) };
        let node = failure.node().unwrap_or(self.state.node);
        self.state.undo_step();
        if let Some(store) = failure.store_error() {
            return Err(store.clone().into());
        }
        let (stage, reason) = if failure.is_unwritable() { (Stage::Produce, "unwritable") } else { (Stage::Timer, "timer") };
        let fault = Fault { cause: cause(), stage, reason, node, message: failure.to_string() };
        let policy = self.timer_policies.get(timed.node).copied().unwrap_or_default();
        let origin = Origin { key: Some(entry.slice(8..)), value: None, headers: Vec::new(), timestamp: time };
        self.give_up(policy, fault, origin)?;
        // It has had its turn.
        self.state.put(timed.store, entry, None);
        self.state.keep_step(cause);
        Ok(())
    }

    fn attempt_due(&mut self, timed: TimedStore, time: Timestamp, entry: &Bytes) -> Result<(), Failure> {
        let cause = || Cause::Timer { store: timed.store, entry: entry.clone() };
        if let Some(refused) = self.refused_before(cause) {
            return Err(Failure::from(Refused(refused)).at(timed.node));
        }
        // Its records carry the time it was due; one set for a time already passed cannot take back what was promised.
        let watermark = (time + timed.delay).max(self.time);
        self.state.outbox.promise = self.time;
        self.state.put(timed.store, entry, None);
        self.state.node = timed.node;
        let mut step = Step {
            graph: &self.graph,
            state: &mut self.state,
            node: timed.node,
            timestamp: time,
            watermark,
            partition: self.id.partition,
        };
        let Some(operator) = &self.graph.nodes[timed.node].operator else { return Ok(()) };
        run(|| operator.borrow_mut().due(timed.slot, time, &entry[8..], &mut step)).map_err(|failure| failure.at(timed.node))?;
        self.state.fits()?;
        self.state.keep_step(cause);
        Ok(())
    }
}

/// The first time of an entry that is not due yet at `until`.
fn first_not_due(timed: TimedStore, until: Timestamp) -> Timestamp {
    until - timed.delay + Duration::from_millis(1)
}
