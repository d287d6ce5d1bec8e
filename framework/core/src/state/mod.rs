//! The state of a task while a transaction is open: the committed stores with the transaction's own writes in front. Between the two may be what
//! a commit under way has taken along: it is older than what is written meanwhile, and not in the stores before the commit has succeeded.

mod ahead;
mod cache;
pub(crate) mod cell;
mod expiry;
pub(crate) mod layout;
mod limit;
mod mark;
mod outbox;
mod overlay;
mod scan;
#[cfg(test)]
mod tests;
mod trace;

use std::cell::RefCell;
use std::collections::BTreeMap;

use bytes::Bytes;

use ahead::Ahead;
use cache::Cache;
pub(crate) use limit::{Limit, OVERHEAD, TooLarge};
pub(crate) use mark::Mark;
pub(crate) use outbox::{Envelope, Outbox};
use overlay::{Overlay, Written};
pub(crate) use scan::MergedScan;
use scan::layered;
pub(crate) use trace::{Cause, Trace};

use crate::port::{Change, Checkpoint, StateStores, StoreError, StoreRange};

/// Keys that are looked up together. RocksDB does so by 32.
const TOGETHER: usize = 64;
/// Changes that are applied together: few enough to be near while they go from one place to the next.
const AT_ONCE: usize = 8 << 10;
/// Keys of the first look of several: their values may be large.
const FEW: usize = 4;

/// One store of a task.
#[derive(Debug, Default)]
struct Store {
    overlay: Overlay,
    /// The changes of the commit under way, if one is.
    flying: Overlay,
    /// How many of them are applied.
    landed: usize,
    /// What the committed store has, as far as it was looked up.
    cache: RefCell<Cache>,
    /// What it has for the keys of the records that come next.
    ahead: Ahead,
    /// For a time-ordered store: where its entries begin.
    mark: Option<Mark>,
    /// What its changelog takes; none if it has none of its own.
    limit: Option<Limit>,
}

/// The stores of a task, its records waiting to be produced, and a journal to take one record's effects back.
pub(crate) struct TaskState {
    committed: Box<dyn StateStores>,
    stores: Vec<Store>,
    /// What each write of the current step replaced, by store and place in its overlay, newest last.
    journal: Vec<(usize, usize, Option<Written>)>,
    pub(crate) outbox: Outbox,
    /// Records waiting for systems outside of the log.
    pub(crate) deliveries: Outbox,
    /// Records left out since the last look, by place and reason.
    pub(crate) dropped: BTreeMap<(String, &'static str), u64>,
    /// Places counted as dropped by the current step, kept apart until the step succeeds.
    dropped_in_step: Vec<(String, &'static str)>,
    /// Keys written by the current step with values too large for the changelog. What counts is what they have at its end.
    oversized: Vec<(usize, Bytes)>,
    /// The node at work: where a panic came from.
    pub(crate) node: usize,
    /// Kept while a refused record is searched for.
    pub(crate) trace: Option<Trace>,
}

impl TaskState {
    /// State over these stores: whether each keeps its entries by time, what its changelog takes, and whether it is empty; and what the sinks' topics take.
    pub(crate) fn new(
        committed: Box<dyn StateStores>,
        stores: impl Iterator<Item = (bool, Option<Limit>, bool)>,
        sinks: Vec<Limit>,
    ) -> TaskState {
        let store = |(timed, limit, is_empty): (bool, Option<Limit>, bool)| {
            let cache = if is_empty { Cache::of_empty_store() } else { Cache::default() };
            Store { mark: timed.then_some(Mark::UNKNOWN), limit, cache: RefCell::new(cache), ..Store::default() }
        };
        let stores = stores.map(store).collect();
        TaskState {
            committed,
            stores,
            journal: Vec::new(),
            outbox: Outbox::new(sinks),
            deliveries: Outbox::default(),
            dropped: BTreeMap::new(),
            dropped_in_step: Vec::new(),
            oversized: Vec::new(),
            node: 0,
            trace: None,
        }
    }

    /// Divides so many bytes among the stores, for committed values to be kept in.
    pub(crate) fn set_cache(&mut self, bytes: usize) {
        let each = bytes / self.stores.len().max(1);
        self.stores.iter_mut().for_each(|store| store.cache.get_mut().set_limit(each));
        self.lend();
    }

    /// Whether something had to go for want of room.
    pub(crate) fn is_cache_full(&mut self) -> bool {
        self.stores.iter_mut().any(|store| store.cache.get_mut().is_full())
    }

    /// Lends the committed stores what of that is of no use in front of them.
    fn lend(&mut self) {
        let spare = self.stores.iter_mut().map(|store| store.cache.get_mut().spare()).sum();
        self.committed.lend(spare);
    }

    /// Hands a key's value to `with`, which must not read state itself.
    pub(crate) fn read<R>(&self, store: usize, key: &[u8], with: impl FnOnce(Option<&[u8]>) -> R) -> Result<R, StoreError> {
        let held = &self.stores[store];
        if let Some(written) = held.overlay.get(key).or_else(|| held.flying.get(key)) {
            return Ok(with(written.as_deref()));
        }
        let mut cache = held.cache.borrow_mut();
        if let Some(known) = held.ahead.get(key) {
            cache.found(key, known);
            return Ok(with(known));
        }
        if let Some(known) = cache.get(key) {
            return Ok(with(known));
        }
        held.ahead.missed();
        let found = self.committed.get(store, key)?;
        cache.found(key, found.as_deref());
        Ok(with(found.as_deref()))
    }

    /// Has the store look up what it has for the keys of the records that come next, as far as it is worth it: by offset, beginning with the one at `from`.
    pub(crate) fn look_ahead<'k>(
        &mut self,
        store: usize,
        from: i64,
        keys: impl Iterator<Item = (i64, &'k [u8])>,
    ) -> Result<(), StoreError> {
        let Store { ahead, cache, .. } = &mut self.stores[store];
        if !ahead.is_due(from) {
            return Ok(());
        }
        let cache = cache.get_mut();
        // What is uncommitted and not in the cache is new since the last commit, mostly: to look for it among the changes costs more than to look it up.
        let mut unknown = keys.filter(|(_, key)| !cache.knows(key));
        let mut most = FEW;
        while !ahead.is_full() {
            let (offsets, keys): (Vec<i64>, Vec<&[u8]>) = unknown.by_ref().take(most).unzip();
            if keys.is_empty() {
                break;
            }
            let found = self.committed.get_many(store, &keys)?;
            for ((offset, key), value) in offsets.into_iter().zip(keys).zip(found) {
                ahead.add(offset, key, value);
            }
            most = TOGETHER;
        }
        Ok(())
    }

    /// It is the turn of a record for whose key this store was asked to look ahead.
    pub(crate) fn turn_to(&mut self, store: usize, offset: i64) {
        self.stores[store].ahead.turn_to(offset);
    }

    /// A copy of a key's value.
    pub(crate) fn get(&self, store: usize, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.read(store, key, |value| value.map(Bytes::copy_from_slice))
    }

    /// Writes or, with none, deletes.
    pub(crate) fn put(&mut self, store: usize, key: &[u8], value: Option<Bytes>) {
        let held = &mut self.stores[store];
        if let (Some(mark), Some(_)) = (&mut held.mark, &value) {
            mark.admit(key);
        }
        let size = key.len() + value.as_ref().map_or(0, Bytes::len);
        if held.limit.as_ref().is_some_and(|limit| limit.check(size).is_err()) {
            self.oversized.push((store, Bytes::copy_from_slice(key)));
        }
        held.cache.get_mut().outdate(key);
        let (place, before) = held.overlay.write(key, value);
        self.journal.push((store, place, before));
    }

    /// Entries with keys in `[from, to)`, by ascending key, the transaction's writes included.
    pub(crate) fn scan(&self, store: usize, from: &[u8], to: Option<&[u8]>) -> Result<MergedScan<'_>, StoreError> {
        let committed = self.committed.scan(store, StoreRange { from, to })?;
        let Store { overlay, flying, .. } = &self.stores[store];
        let newest = overlay.range(from, to);
        // Not asked when it is empty: looking at a range has an overlay keep order from then on.
        Ok(match flying.is_empty() {
            true => MergedScan::new(newest, committed),
            false => MergedScan::new(layered(newest, flying.range(from, to)), committed),
        })
    }

    /// Where the entries of a time-ordered store begin, for skipping the look when nothing can be due.
    pub(crate) fn mark(&self, store: usize) -> &Mark {
        self.stores[store].mark.as_ref().unwrap_or(&Mark::Nowhere)
    }

    /// Remembers what a look found; moved back by later writes. Answers what was known before.
    pub(crate) fn set_mark(&mut self, store: usize, mark: Mark) -> Mark {
        self.stores[store].mark.replace(mark).unwrap_or(Mark::Nowhere)
    }

    /// Counts a record as left out, once its step succeeds.
    pub(crate) fn drop_record(&mut self, place: &str, reason: &'static str) {
        self.dropped_in_step.push((place.to_owned(), reason));
    }

    /// Fails if the step so far wrote something that its topic does not take.
    pub(crate) fn fits(&self) -> Result<(), TooLarge> {
        self.outbox.fits()?;
        for (store, key) in &self.oversized {
            let held = &self.stores[*store];
            let size = key.len() + held.overlay.get(key).and_then(Option::as_ref).map_or(0, Bytes::len);
            held.limit.as_ref().map_or(Ok(()), |limit| limit.check(size))?;
        }
        Ok(())
    }

    /// The step succeeded: its effects are part of the transaction now.
    pub(crate) fn keep_step(&mut self, cause: impl FnOnce() -> Cause) {
        if let Some(trace) = &mut self.trace {
            let stores = &self.stores;
            let key = |(store, place, _): &(usize, usize, _)| Some((*store, stores[*store].overlay.key_at(*place)?.clone()));
            let written = self.journal.iter().filter_map(key);
            trace.add(cause(), self.outbox.len(), written);
        }
        self.journal.clear();
        self.oversized.clear();
        self.outbox.keep();
        self.deliveries.keep();
        for dropped in self.dropped_in_step.drain(..) {
            *self.dropped.entry(dropped).or_default() += 1;
        }
    }

    /// The step failed: as if it had never begun.
    pub(crate) fn undo_step(&mut self) {
        while let Some((store, place, before)) = self.journal.pop() {
            self.stores[store].overlay.undo(place, before);
        }
        self.outbox.undo();
        self.deliveries.undo();
        self.oversized.clear();
        self.dropped_in_step.clear();
    }

    /// Bytes of uncommitted changes, those of a commit under way included.
    pub(crate) fn dirty_bytes(&self) -> usize {
        self.stores.iter().map(|store| store.overlay.bytes() + store.flying.bytes()).sum()
    }

    /// Whether anything is uncommitted that no commit under way has taken along.
    pub(crate) fn is_dirty(&self) -> bool {
        self.stores.iter().any(|store| !store.overlay.is_empty())
    }

    /// Takes all uncommitted changes along with a commit: they are [`flying`](TaskState::flying) until they are applied.
    pub(crate) fn launch(&mut self) {
        for held in &mut self.stores {
            debug_assert!(held.flying.is_empty(), "the last commit has not ended");
            std::mem::swap(&mut held.overlay, &mut held.flying);
        }
    }

    /// What the commit under way has taken along, for the changelogs, but for the first ones: store, key, and new value or none.
    pub(crate) fn flying_after(&self, first: usize) -> impl Iterator<Item = (usize, &Bytes, &Written)> {
        let mut before = first;
        self.stores.iter().enumerate().flat_map(move |(store, held)| {
            let skipped = before.min(held.flying.len());
            before -= skipped;
            held.flying.after(skipped).map(move |(key, value)| (store, key, value))
        })
    }

    /// How many of these changes are not applied.
    pub(crate) fn flying_len(&self) -> usize {
        self.stores.iter().map(|held| held.flying.len() - held.landed).sum()
    }

    /// The commit succeeded: applies so many of the changes that it has taken along, and no offsets yet. Until [`apply`](TaskState::apply) has done the rest the stores have
    /// changes that are in the changelogs behind their checkpoints, and that whoever opens them next reads again.
    pub(crate) fn apply_some(&mut self, most: usize) -> Result<(), StoreError> {
        let mut changes = Vec::new();
        let mut left = most;
        for store in 0..self.stores.len() {
            if left == 0 {
                break;
            }
            self.remove_expired(store)?;
            let Store { flying, landed, cache, .. } = &mut self.stores[store];
            let before = *landed;
            for (key, value) in flying.after(before).take(left) {
                *landed += 1;
                match flying.expired() {
                    Some(expired) if expired.covers(key, value) => cache.get_mut().forget(key),
                    _ => changes.push(Change { store, key: key.clone(), value: value.clone() }),
                }
            }
            left -= *landed - before;
        }
        self.write(&changes, &[])
    }

    /// The commit succeeded: applies what it has taken along, some at a time, and with the last of it the changelog offsets that it reaches.
    pub(crate) fn apply(&mut self, reached: &[(usize, Checkpoint)]) -> Result<(), StoreError> {
        let mut changes = Vec::new();
        for store in 0..self.stores.len() {
            self.remove_expired(store)?;
            let mut flying = std::mem::take(&mut self.stores[store].flying);
            let landed = std::mem::take(&mut self.stores[store].landed);
            let expired = flying.expired().cloned();
            for (key, value) in flying.take().skip(landed) {
                if expired.as_ref().is_some_and(|expired| expired.covers(&key, &value)) {
                    self.stores[store].cache.get_mut().forget(&key);
                    continue;
                }
                changes.push(Change { store, key, value });
                if changes.len() == AT_ONCE {
                    self.write(&changes, &[])?;
                    changes.clear();
                }
            }
            let held = &mut self.stores[store];
            // Where nothing is written during commits one of the two has all the room, and keeps it.
            let empty = if held.overlay.is_empty() { &mut held.overlay } else { &mut held.flying };
            *empty = flying;
        }
        self.write(&changes, reached)
    }

    fn write(&mut self, changes: &[Change], reached: &[(usize, Checkpoint)]) -> Result<(), StoreError> {
        if !changes.is_empty() || !reached.is_empty() {
            self.committed.apply(changes, reached)?;
        }
        self.stores.iter_mut().for_each(|held| held.ahead.forget());
        for some in changes.chunks(TOGETHER) {
            // Memory is waited for once for all of them.
            some.iter().for_each(|change| self.stores[change.store].cache.get_mut().approach(&change.key));
            for Change { store, key, value } in some {
                self.stores[*store].cache.get_mut().put(key, value.as_deref());
            }
        }
        self.lend();
        Ok(())
    }

    /// Stores checkpoints; no change goes with them.
    pub(crate) fn touch(&mut self, reached: &[(usize, Checkpoint)]) -> Result<(), StoreError> {
        self.committed.apply(&[], reached)
    }

    /// The stores as of the last commit.
    pub(crate) fn committed(&self) -> &dyn StateStores {
        self.committed.as_ref()
    }

    /// Drops everything uncommitted and gives the committed stores back.
    pub(crate) fn into_committed(mut self) -> Box<dyn StateStores> {
        // Whoever comes next has all the memory in front of them, as far as it knows.
        self.committed.lend(0);
        self.committed
    }
}
