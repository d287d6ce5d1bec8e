//! Committed values in memory, in front of a store: what was read or committed lately. It saves a look into the store, which costs a microsecond
//! where it is cheap.

mod log;
mod newest;
mod packer;
mod packing;
mod slot;
#[cfg(test)]
mod tests;
mod worth;

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use log::{Log, Place, Value};
use newest::Newest;
use packing::Packing;
use slot::{Slot, spread};
use worth::Worth;

/// Bytes that a processor's own caches hold as a rule.
const NEAR: usize = 4 << 20;
/// What an entry costs beside its bytes: its place in the table, of which three of eight are empty on average.
const OVERHEAD: usize = 16;
/// Pieces of which its memory consists, at least.
const PIECES: usize = 16;
/// Pieces in which what was used is looked for and kept, for want of room, before everything goes: nobody is to wait for all of it.
const PATIENCE: usize = 4;
/// The log may have twice the bytes that are of use, and so many more, before pieces are cleared of what is not.
const SLACK: usize = 256 << 10;
/// One is cleared for so many bytes that come, less than it has of no use on average, or the log would not become smaller.
const TIDIED: usize = 16 << 10;
/// The largest limit: places are 32-bit numbers, and pieces may be half empty.
const MOST: usize = 8 << 30;
/// Where something has to go for it, one of so many values that were found in the store gets a place. Which one is as good as any where all are asked for alike, and what is asked
/// for often is found often.
const ADMITTED: usize = 4;
/// Keys that are asked for or written for each piece that is cleared, once only a sample is kept.
const SWEEP: usize = 16;

/// When it is full, the oldest piece of its log goes: what was used since it came there stays, at the log's end, everything else is forgotten (CLOCK, Corbató 1968). So
/// what is used often stays, and an entry has no place in any list that would have to be kept.
#[derive(Debug, Default)]
pub(super) struct Cache {
    table: HashTable<Slot>,
    log: Log,
    /// Bytes of entries in the log that have not been replaced or removed.
    live: usize,
    /// Bytes that came since it was looked whether much of the log is of no use.
    since_tidied: usize,
    limit: usize,
    /// Whether it has all that the store has: what it does not know is not there.
    is_complete: bool,
    /// Whether something had to go for want of room.
    is_full: bool,
    hasher: RandomState,
    newest: Newest,
    packing: Packing,
    worth: Worth,
    /// Values found since one had to make room for itself.
    found: usize,
    /// Where only a sample is kept and others may still be here: pieces still to be cleared of them, times [`SWEEP`].
    sweep: usize,
}

impl Cache {
    /// In front of a store that is empty: as long as everything written to it has its place here, there is no need to look there.
    pub(super) fn of_empty_store() -> Cache {
        Cache { is_complete: true, ..Cache::default() }
    }

    /// Sets the bytes it may hold; 0 for none.
    pub(super) fn set_limit(&mut self, limit: usize) {
        let limit = limit.min(MOST);
        if limit == self.limit {
            return;
        }
        let is_less = limit < self.limit;
        if limit.abs_diff(self.limit) > self.limit / 8 {
            self.worth.forget();
        }
        self.limit = limit;
        if self.packing.is_too_large_for(limit) {
            while self.log.pieces() > 0 {
                self.clear_oldest(|_| false);
            }
            self.packing = Packing::default();
        }
        // With more room nothing has to go for now.
        self.is_full &= is_less;
        if is_less && self.bytes() > self.room() {
            self.make_room(0);
            // For a little the whole table would have to be moved.
            if self.table.capacity() > 2 * self.table.len() { self.shrink() } else { self.log.shrink() }
        }
    }

    /// Whether something had to go for want of room, since there was more of it, and more would be of use.
    pub(super) fn is_full(&self) -> bool {
        self.is_full && !self.worth.is_sampling()
    }

    /// Bytes of its limit that it has no use for: few of the keys asked for would be met here.
    pub(super) fn spare(&self) -> usize {
        self.limit - self.room()
    }

    /// What the store has for `key`, which may be nothing; none if that is not known here.
    pub(super) fn get(&mut self, key: &[u8]) -> Option<Option<&[u8]>> {
        if self.limit == 0 {
            return None;
        }
        // It was asked for a moment ago, and not here.
        let is_again = self.newest.is_of(key);
        if is_again && !self.newest.is_kept() {
            return Some(self.newest.value());
        }
        self.admit();
        let hash = self.hash(key);
        let place = self.place_of(hash, key);
        if (place.is_some() || self.is_complete) && !is_again && self.worth.takes(hash) {
            self.judge(true);
        }
        let Some(place) = place else { return self.is_complete.then_some(None) };
        self.log.set_used(place, true);
        Some(self.packing.read(self.log.value(place)))
    }

    /// Whether it is known here what the store has for `key`.
    pub(super) fn knows(&self, key: &[u8]) -> bool {
        self.limit > 0 && (self.is_complete || self.has(key))
    }

    /// Has the processor fetch the memory where `key` is or would be, unless all there is should be near.
    pub(super) fn approach(&self, key: &[u8]) {
        if self.log.bytes() > NEAR {
            std::hint::black_box(self.has(key));
        }
    }

    /// Whether `key` has a place.
    fn has(&self, key: &[u8]) -> bool {
        self.place_of(self.hash(key), key).is_some()
    }

    fn hash(&self, key: &[u8]) -> u32 {
        self.hasher.hash_one(key) as u32
    }

    fn place_of(&self, hash: u32, key: &[u8]) -> Option<Place> {
        // Where a sample is kept, most need not be looked for.
        if self.sweep == 0 && !self.worth.takes(hash) {
            return None;
        }
        let is_it = |slot: &Slot| slot.hash == hash && self.log.key(slot.place) == key;
        Some(self.table.find(spread(hash), is_it)?.place)
    }

    /// Takes down what was found in the store for `key`, which was not known here.
    pub(super) fn found(&mut self, key: &[u8], value: Option<&[u8]>) {
        if self.limit == 0 {
            return;
        }
        self.sweep();
        if self.worth.is_sampling() && !self.worth.takes(self.hash(key)) {
            return;
        }
        self.judge(false);
        self.admit();
        let is_free = self.bytes() + self.piece() <= self.room();
        self.found += 1;
        self.newest.set(key, value, is_free || self.found.is_multiple_of(ADMITTED));
    }

    /// `key` is being written: what was found for it is of no use any more.
    pub(super) fn outdate(&mut self, key: &[u8]) {
        if self.newest.is_of(key) {
            self.newest.clear();
        }
    }

    /// The store has nothing for `key` any more, and nobody will ask.
    pub(super) fn forget(&mut self, key: &[u8]) {
        self.outdate(key);
        let hash = self.hash(key);
        if let Some(place) = self.place_of(hash, key) {
            self.remove(hash, place);
        }
    }

    /// Gives what was found last a place, if it is to have one.
    fn admit(&mut self) {
        if !self.newest.is_kept() {
            self.newest.clear();
        }
        if self.newest.is_set() {
            let mut newest = std::mem::take(&mut self.newest);
            self.put(newest.key(), newest.value());
            // Its memory is for the next one.
            newest.clear();
            self.newest = newest;
        }
    }

    /// Takes down what the store has for `key`.
    pub(super) fn put(&mut self, key: &[u8], value: Option<&[u8]>) {
        self.outdate(key);
        if self.limit == 0 {
            self.is_complete = false;
            return;
        }
        self.sweep();
        let hash = self.hash(key);
        let packed = if self.worth.takes(hash) { self.packing.pack(value) } else { None };
        let value = packed.as_deref().map_or_else(|| value.into(), Value::Packed);
        let size = log::size_of(key, value);
        // It would push everything else out.
        let is_too_large = OVERHEAD + size > self.room() || !log::takes(key, value);
        self.is_complete &= !is_too_large;
        // Where all that there is has its place here, what is not need not have one.
        let is_told = !value.is_some() && self.is_complete;
        let is_kept = !is_too_large && !is_told;
        let before = self.place_of(hash, key);
        match before {
            Some(place) if is_kept && self.replace(place, value) => return self.log.set_used(place, value.is_some()),
            Some(place) => self.remove(hash, place),
            None => {}
        }
        if is_kept && self.worth.takes(hash) {
            let place = self.insert(hash, key, value, size);
            self.log.set_used(place, before.is_some() && value.is_some());
            if self.is_full && self.worth.written(self.table.len()) {
                self.turn();
            }
        }
    }

    /// A key was asked for and met here, or not: whether only a sample is to be kept from now on, or everything again.
    fn judge(&mut self, is_met: bool) {
        if (self.is_full || self.worth.is_sampling()) && self.worth.asked(is_met, self.table.len()) {
            self.turn();
        }
    }

    fn turn(&mut self) {
        let is_sampling = self.worth.is_sampling();
        self.sweep = if is_sampling { self.log.pieces() * SWEEP } else { 0 };
        self.is_complete &= !is_sampling;
    }

    fn insert(&mut self, hash: u32, key: &[u8], value: Value<'_>, size: usize) -> Place {
        self.since_tidied += OVERHEAD + size;
        if self.since_tidied >= TIDIED {
            self.since_tidied = 0;
            if self.log.bytes() > 2 * self.live + SLACK {
                self.clear_oldest(|_| true);
            }
        }
        self.make_room(size);
        let place = self.log.append(key, value, self.piece());
        self.live += self.log.size(place);
        self.packing.came(value.is_packed());
        self.table.insert_unique(spread(hash), Slot { hash, place }, Slot::spread);
        place
    }

    /// Replaces a value where it lies, if it fits there.
    fn replace(&mut self, place: Place, value: Value<'_>) -> bool {
        let was_packed = self.log.value(place).is_packed();
        let is_replaced = self.log.replace(place, value);
        if is_replaced {
            self.packing.came(value.is_packed());
            self.packing.went(was_packed);
        }
        is_replaced
    }

    fn remove(&mut self, hash: u32, place: Place) {
        if let Ok(slot) = self.table.find_entry(spread(hash), |slot| slot.place == place) {
            slot.remove();
            self.live -= self.log.size(place);
            self.packing.went(self.log.value(place).is_packed());
        }
    }

    /// Bytes in use.
    fn bytes(&self) -> usize {
        self.log.bytes() + self.table.len() * OVERHEAD
    }

    /// Bytes that an entry of so many in the log needs.
    fn growth(&self, size: usize) -> usize {
        if size == 0 { 0 } else { OVERHEAD + self.log.growth(size, self.piece()) }
    }

    /// Bytes of entries that it has room for.
    fn room(&self) -> usize {
        let limit = self.limit.saturating_sub(self.packing.bytes());
        if self.sweep > 0 { limit } else { self.worth.part_of(limit) }
    }

    /// Bytes of a piece of the log.
    fn piece(&self) -> usize {
        self.room() / PIECES
    }

    /// For so many bytes more, as far as there is anything that can go.
    fn make_room(&mut self, bytes: usize) {
        let mut cleared = 0;
        if self.bytes() + self.growth(bytes) > self.room() && self.packing.is_due(self.room()) {
            let values = self.log.oldest().filter_map(|entry| match entry.value() {
                Value::Plain(value) => Some(value),
                _ => None,
            });
            self.packing.learn(values);
        }
        while self.bytes() + self.growth(bytes) > self.room() && self.log.pieces() > 0 {
            self.clear_oldest(|entry| entry.is_used() && cleared < PATIENCE);
            cleared += 1;
        }
    }

    /// Clears the oldest piece but for what is to be kept, which goes to the log's end.
    fn clear_oldest(&mut self, is_kept: impl Fn(&log::Entry<'_>) -> bool) {
        let Some(piece) = self.log.take_oldest() else { return };
        let length = self.piece();
        for (place, entry) in piece.entries() {
            let hash = self.hash(entry.key());
            let Ok(mut slot) = self.table.find_entry(spread(hash), |slot| slot.place == place) else { continue };
            self.live -= entry.size();
            if self.worth.takes(hash) && is_kept(&entry) && self.packing.keeps(entry.value()) {
                let place = self.log.append(entry.key(), entry.value(), length);
                self.live += self.log.size(place);
                slot.get_mut().place = place;
            } else {
                slot.remove();
                self.packing.went(entry.value().is_packed());
                (self.is_complete, self.is_full) = (false, true);
            }
        }
        self.log.give_back(piece);
    }

    /// Clears some of what does not belong to the sample.
    fn sweep(&mut self) {
        if self.sweep == 0 {
            return;
        }
        self.sweep -= 1;
        if self.sweep.is_multiple_of(SWEEP) {
            self.clear_oldest(|_| true);
        }
        if self.sweep == 0 {
            self.make_room(0);
            self.shrink();
        }
    }

    /// Gives memory back that is wanted elsewhere.
    fn shrink(&mut self) {
        self.table.shrink_to_fit(Slot::spread);
        self.log.shrink();
    }
}
