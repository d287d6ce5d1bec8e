//! Entries of time-ordered stores whose time is over and of which nobody is told: removed many at a time.

use bytes::Bytes;

use super::{Cause, Mark, Store, TaskState, Written};
use crate::port::{StoreError, StoreRange};

/// Entries looked up at once.
const CHUNK: usize = 4096;
/// Entries that committed stores remove as a range, at least: each range is something to be looked at by those who read.
const RANGE: usize = if cfg!(test) { 3 } else { 64 };

/// Keys from one up to, excluding, another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expired {
    pub(super) from: Bytes,
    pub(super) to: Bytes,
}

impl Expired {
    /// Whether a change is done with when the range is removed.
    pub(super) fn covers(&self, key: &[u8], value: &Written) -> bool {
        value.is_none() && (&self.from[..]..&self.to[..]).contains(&key)
    }

    /// One range in place of two between which there is nothing.
    pub(super) fn and(self, other: Expired) -> Expired {
        Expired { from: self.from.min(other.from), to: self.to.max(other.to) }
    }
}

impl TaskState {
    /// Removes all entries of a time-ordered store with keys before `end`: those written since the last commit that has ended, then those in the store by ascending key.
    pub(crate) fn expire(&mut self, store: usize, end: &[u8]) -> Result<(), StoreError> {
        let Some(begin) = self.mark(store).key().cloned() else { return Ok(()) };
        let written = self.expire_written(store, &begin, end);
        let (mut from, mut removed) = (begin.clone(), 0);
        let committed = loop {
            let (due, next) = self.committed_before(store, &from, end)?;
            removed += due.len();
            due.iter().for_each(|key| self.expire_entry(store, key));
            match next {
                Mark::From(key) if key < end => from = key,
                beyond => break beyond,
            }
        };
        if removed >= RANGE && !self.stores[store].overlay.is_empty() {
            self.stores[store].overlay.expire(Expired { from: begin, to: Bytes::copy_from_slice(end) });
        }
        self.set_mark(store, written.min(committed));
        Ok(())
    }

    /// Removes what was written since the last commit that has ended, and answers where that begins which is left of it.
    fn expire_written(&mut self, store: usize, begin: &[u8], end: &[u8]) -> Mark {
        let Store { overlay, flying, .. } = &mut self.stores[store];
        let ((taken_along, first), (written, second)) = (flying.before(begin, end), overlay.before(begin, end));
        taken_along.iter().chain(&written).for_each(|key| self.expire_entry(store, key));
        first.min(second)
    }

    /// Up to a chunk of the committed store's entries in a range, and where those begin that follow.
    fn committed_before(&self, store: usize, from: &[u8], end: &[u8]) -> Result<(Vec<Bytes>, Mark), StoreError> {
        let mut due = Vec::new();
        for entry in self.committed.scan(store, StoreRange { from, to: None })? {
            let (key, _) = entry?;
            if due.len() == CHUNK || key >= end {
                return Ok((due, Mark::From(key)));
            }
            due.push(key);
        }
        Ok((due, Mark::Nowhere))
    }

    /// Removes an entry, unless it is gone already.
    fn expire_entry(&mut self, store: usize, key: &Bytes) {
        let Store { overlay, flying, .. } = &self.stores[store];
        let is_gone = overlay.get(key).or_else(|| flying.get(key)).is_some_and(Option::is_none);
        if !is_gone {
            self.put(store, key, None);
            self.keep_step(|| Cause::Timer { store, entry: key.clone() });
        }
    }

    /// Has the committed store remove what expired before the commit under way, unless it has begun to take that over.
    pub(super) fn remove_expired(&mut self, store: usize) -> Result<(), StoreError> {
        let Store { flying, landed, .. } = &self.stores[store];
        match flying.expired() {
            Some(Expired { from, to }) if *landed == 0 => self.committed.remove(store, from, to),
            _ => Ok(()),
        }
    }
}
