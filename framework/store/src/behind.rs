//! Writing behind: the changes of several commits are gathered, the newest of each key, and go into RocksDB's memtable in the order of their keys.
//!
//! A change there costs half a microsecond in a batch of 35,000 and 1.4 in one of 3,500, among a million others (docs/decisions/write-behind.md), and a key that
//! each commit changes goes there once instead of with each. What is gathered is in the changelog, as what is in the memtable is, and counts as unflushed like that.
//!
//! It is written in steps, each as part of a commit, so that no commit pays for many: what was gathered first is being written while the next gathers.
//! Checkpoints follow with the last step. Until then RocksDB has changes that are in changelogs behind them, and a restore reads those again.

use std::collections::BTreeMap;

use headwater_core::port::{Change, Checkpoint};

use crate::buffer::Buffer;

/// Changes in a step for each one that is added: more than one, or what is being written would grow faster than it goes.
const STEP: usize = 2;
/// Changes in a step at least. Few in tests, so that little is enough for several steps.
const LEAST_STEP: usize = if cfg!(test) { 8 } else { 256 };

/// Where a store's changes go.
#[derive(Clone, Debug)]
pub(crate) struct StoreNames {
    pub(crate) family: String,
    pub(crate) checkpoint_key: Vec<u8>,
}

/// What is applied and not yet in RocksDB.
#[derive(Debug, Default)]
pub(crate) struct Behind {
    stores: Vec<StoreNames>,
    gathering: Gathered,
    writing: Writing,
    /// Whether changes go to RocksDB at once. A range is read there, so a store that is asked for ranges must not have anything here.
    is_direct: bool,
}

/// Changes by store, and the checkpoints to which they bring the stores.
#[derive(Debug, Default)]
struct Gathered {
    stores: Vec<Buffer>,
    reached: BTreeMap<usize, Checkpoint>,
}

#[derive(Debug, Default)]
struct Writing {
    gathered: Gathered,
    /// Store and place of each change, in the order in which they are written.
    order: Vec<(usize, u32)>,
    /// The step in it that is being written.
    from: usize,
    to: usize,
}

/// What goes into RocksDB in one batch.
#[derive(Debug, Default)]
pub(crate) struct Step<'a> {
    pub(crate) changes: Vec<(usize, &'a [u8], Option<&'a [u8]>)>,
    pub(crate) reached: Vec<(usize, Checkpoint)>,
}

impl<'a> Step<'a> {
    /// All of these changes, in the order of their keys; of two of one key the later one counts.
    pub(crate) fn of(changes: &'a [Change], reached: &[(usize, Checkpoint)]) -> Step<'a> {
        let mut changes: Vec<_> =
            changes.iter().map(|change| (change.store, change.key.as_ref(), change.value.as_deref())).collect();
        changes.sort_by_key(|(store, key, _)| (*store, *key));
        Step { changes, reached: reached.to_vec() }
    }
}

impl Behind {
    /// For these stores, by number.
    pub(crate) fn of(stores: Vec<StoreNames>) -> Behind {
        Behind { stores, ..Behind::default() }
    }

    pub(crate) fn stores(&self) -> &[StoreNames] {
        &self.stores
    }

    /// Whether changes go to RocksDB at once.
    pub(crate) fn is_direct(&self) -> bool {
        self.is_direct
    }

    /// From now on they do, or do not. Nothing may be left here when they begin to.
    pub(crate) fn set_direct(&mut self, is_direct: bool) {
        self.is_direct = is_direct;
    }

    /// Takes changes, and what they bring the stores to.
    pub(crate) fn add(&mut self, changes: &[Change], reached: &[(usize, Checkpoint)]) {
        for Change { store, key, value } in changes {
            let stores = &mut self.gathering.stores;
            if stores.len() <= *store {
                stores.resize_with(store + 1, Buffer::default);
            }
            stores[*store].put(key, value.as_deref());
        }
        self.gathering.reached.extend(reached.iter().copied());
    }

    /// The newest change of a key, if there is one here.
    pub(crate) fn get(&self, store: usize, key: &[u8]) -> Option<Option<&[u8]>> {
        self.gathering.get(store, key).or_else(|| self.writing.gathered.get(store, key))
    }

    /// The checkpoint that a store has reached, if it is here.
    pub(crate) fn reached(&self, store: usize) -> Option<Checkpoint> {
        let known = |gathered: &Gathered| gathered.reached.get(&store).copied();
        known(&self.gathering).or_else(|| known(&self.writing.gathered))
    }

    /// Changes here of a store.
    pub(crate) fn len(&self, store: usize) -> usize {
        [&self.gathering, &self.writing.gathered]
            .into_iter()
            .filter_map(|gathered| gathered.stores.get(store))
            .map(Buffer::len)
            .sum()
    }

    /// After so many changes were added: whether there is a step to be written. What was gathered is, from `limit` bytes on; what was being written
    /// before must be out of the way by then.
    pub(crate) fn begin_step(&mut self, added: usize, limit: usize) -> bool {
        let is_full = self.gathering.size() >= limit;
        match (self.writing.is_done(), is_full) {
            (true, false) => false,
            (false, true) => self.begin(usize::MAX),
            _ => self.begin((added * STEP).max(LEAST_STEP)),
        }
    }

    /// The same for all that is left, whatever its size, in a step or two: whether there is one more.
    pub(crate) fn begin_rest(&mut self) -> bool {
        self.begin(usize::MAX)
    }

    fn begin(&mut self, most: usize) -> bool {
        if self.writing.is_done() {
            if self.gathering.is_empty() {
                return false;
            }
            self.writing.take_over(&mut self.gathering);
        }
        self.writing.to = self.writing.order.len().min(self.writing.from.saturating_add(most));
        true
    }

    /// The step that has begun.
    pub(crate) fn step(&self) -> Step<'_> {
        let Writing { gathered, order, from, to } = &self.writing;
        let change = |(store, place): &(usize, u32)| {
            let (key, value) = gathered.stores[*store].at(*place);
            (*store, key, value)
        };
        let changes = order[*from..*to].iter().map(change).collect();
        let reached = if *to == order.len() { gathered.reached.clone().into_iter().collect() } else { Vec::new() };
        Step { changes, reached }
    }

    /// The step is in RocksDB.
    pub(crate) fn end_step(&mut self) {
        let writing = &mut self.writing;
        writing.from = writing.to;
        if writing.to == writing.order.len() {
            writing.gathered.stores.iter_mut().for_each(Buffer::clear);
            writing.gathered.reached.clear();
        }
    }
}

impl Gathered {
    fn get(&self, store: usize, key: &[u8]) -> Option<Option<&[u8]>> {
        self.stores.get(store)?.get(key)
    }

    fn size(&self) -> usize {
        self.stores.iter().map(Buffer::size).sum()
    }

    fn is_empty(&self) -> bool {
        self.reached.is_empty() && self.stores.iter().all(|store| store.len() == 0)
    }
}

impl Writing {
    /// Whether nothing is left, checkpoints included.
    fn is_done(&self) -> bool {
        self.gathered.is_empty()
    }

    /// Begins with what was gathered.
    fn take_over(&mut self, gathering: &mut Gathered) {
        std::mem::swap(&mut self.gathered, gathering);
        self.order.clear();
        for (store, buffer) in self.gathered.stores.iter().enumerate() {
            self.order.extend(buffer.sorted().map(|place| (store, place)));
        }
        (self.from, self.to) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    type Entries = BTreeMap<(usize, Vec<u8>), Vec<u8>>;

    #[derive(Clone, Debug)]
    enum Act {
        /// A commit with these changes: store, key, and a value's length and bytes, or a deletion.
        Commit(Vec<(usize, u8, Option<(u8, u8)>)>),
        Rest,
        /// The process is gone, and the next one reads the changelog on from the checkpoint.
        Crash,
    }

    fn act() -> impl Strategy<Value = Act> {
        let change = (0usize..2, any::<u8>(), prop::option::of((0u8..3, any::<u8>())));
        prop_oneof![
            8 => prop::collection::vec(change, 0..120).prop_map(Act::Commit),
            1 => Just(Act::Rest),
            1 => Just(Act::Crash),
        ]
    }

    fn change((store, key, value): &(usize, u8, Option<(u8, u8)>)) -> Change {
        let value = value.map(|(length, fill)| Bytes::from(vec![fill; usize::from(length)]));
        Change { store: *store, key: vec![*key].into(), value }
    }

    fn write(entries: &mut Entries, (store, key, value): (usize, &[u8], Option<&[u8]>)) {
        match value {
            Some(value) => drop(entries.insert((store, key.to_vec()), value.to_vec())),
            None => drop(entries.remove(&(store, key.to_vec()))),
        }
    }

    fn write_step(behind: &mut Behind, disk: &mut Entries, checkpoint: &mut usize) {
        let Step { changes, reached } = behind.step();
        changes.into_iter().for_each(|change| write(disk, change));
        if let Some((_, reached)) = reached.first() {
            *checkpoint = usize::try_from(reached.offset).unwrap();
        }
        behind.end_step();
    }

    proptest! {
        /// Against a map; the changelog is the list of all commits.
        #[test]
        fn nothing_is_lost_and_the_newest_counts(acts in prop::collection::vec(act(), 0..60), limit in 0usize..4000) {
            let (mut behind, mut disk, mut checkpoint) = (Behind::default(), Entries::new(), 0);
            let (mut model, mut log) = (Entries::new(), Vec::<Vec<Change>>::new());
            for act in acts {
                match act {
                    Act::Commit(changes) => {
                        let changes: Vec<Change> = changes.iter().map(change).collect();
                        for change in &changes {
                            write(&mut model, (change.store, &change.key, change.value.as_deref()));
                        }
                        log.push(changes.clone());
                        behind.add(&changes, &[(0, Checkpoint::at(log.len() as i64))]);
                        prop_assert_eq!(behind.reached(0), Some(Checkpoint::at(log.len() as i64)));
                        if behind.begin_step(changes.len(), limit) {
                            write_step(&mut behind, &mut disk, &mut checkpoint);
                        }
                    }
                    Act::Rest => {
                        while behind.begin_rest() {
                            write_step(&mut behind, &mut disk, &mut checkpoint);
                        }
                        prop_assert_eq!((&disk, checkpoint), (&model, log.len()));
                        prop_assert!(behind.get(0, &[0]).is_none() && behind.reached(0).is_none() && behind.len(0) == 0);
                    }
                    Act::Crash => {
                        behind = Behind::default();
                        for change in log.iter().skip(checkpoint).flatten() {
                            write(&mut disk, (change.store, &change.key, change.value.as_deref()));
                        }
                        prop_assert_eq!(&disk, &model);
                        checkpoint = log.len();
                    }
                }
                for (store, key) in (0..2).flat_map(|store| (0..=u8::MAX).map(move |key| (store, key))) {
                    let held = disk.get(&(store, vec![key])).map(Vec::as_slice);
                    let seen = behind.get(store, &[key]).unwrap_or(held);
                    prop_assert_eq!(seen, model.get(&(store, vec![key])).map(Vec::as_slice));
                }
            }
        }
    }
}
