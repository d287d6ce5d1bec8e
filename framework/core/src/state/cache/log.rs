//! Keys with their values in memory, one behind the other in pieces of some ten thousand bytes, so that an entry costs little more than its bytes and no
//! allocation. What is old goes piece by piece (log-structured memory, Rumble et al., FAST 2014).

use std::collections::VecDeque;

/// Bytes of a piece at most, but for one with a single large entry.
const PIECE: usize = 64 << 10;
/// Entries begin at multiples of this, so that a place is a 32-bit number in 32 GiB.
const STEP: usize = 8;
/// Bytes before a key.
const HEADER: usize = 8;

const USED: u32 = 1 << 31;
const NO_VALUE: u32 = 1 << 30;
/// The bits of an entry's size, in steps.
const STEPS: u32 = NO_VALUE - 1;
/// The bits of a key's length; those above them have how much of the room for the value is free.
const KEY: u32 = (1 << 28) - 1;
const MOST_FREE: usize = 15;

/// Where an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(u32);

#[derive(Debug, Default)]
pub(super) struct Log {
    pieces: Vec<Vec<u8>>,
    /// The pieces in use, oldest first.
    order: VecDeque<u32>,
    /// Numbers of pieces that are not in use.
    free: Vec<u32>,
    /// The memory of one, for the next.
    spare: Vec<u8>,
    bytes: usize,
}

/// A piece that has been taken out, with its number.
pub(super) struct Piece {
    number: u32,
    bytes: Vec<u8>,
}

/// Bytes of an entry.
pub(super) fn size_of(key: &[u8], value: Option<&[u8]>) -> usize {
    (HEADER + key.len() + value.map_or(0, <[u8]>::len)).next_multiple_of(STEP)
}

/// Whether an entry with such a key can be here.
pub(super) fn takes(key: &[u8], value: Option<&[u8]>) -> bool {
    key.len() <= KEY as usize && size_of(key, value) / STEP <= STEPS as usize
}

impl Log {
    /// Bytes of its pieces, what is free at their ends included.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that an entry of so many adds to that, if new pieces have so many: none if it has its place in the newest.
    pub(super) fn growth(&self, size: usize, piece: usize) -> usize {
        if self.open_for(size, piece).is_some() { 0 } else { capacity(size, piece) }
    }

    /// The newest piece, if there is room in it.
    fn open_for(&self, size: usize, piece: usize) -> Option<u32> {
        let newest = *self.order.back()?;
        let bytes = &self.pieces[newest as usize];
        (bytes.len() + size <= bytes.capacity().min(piece).min(PIECE)).then_some(newest)
    }

    /// Pieces in use.
    pub(super) fn pieces(&self) -> usize {
        self.order.len()
    }

    /// Adds an entry that [`takes`] allows, in a piece of so many bytes if it needs a new one.
    pub(super) fn append(&mut self, key: &[u8], value: Option<&[u8]>, piece: usize) -> Place {
        let size = size_of(key, value);
        let number = self.open_for(size, piece).unwrap_or_else(|| self.begin_piece(capacity(size, piece)));
        let bytes = &mut self.pieces[number as usize];
        let start = bytes.len();
        let free = size - HEADER - key.len() - value.map_or(0, <[u8]>::len);
        let steps = (size / STEP) as u32 | if value.is_none() { NO_VALUE } else { 0 };
        bytes.extend_from_slice(&steps.to_ne_bytes());
        bytes.extend_from_slice(&(key.len() as u32 | (free as u32) << 28).to_ne_bytes());
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(value.unwrap_or_default());
        bytes.resize(start + size, 0);
        place(number, start)
    }

    fn begin_piece(&mut self, capacity: usize) -> u32 {
        let number = self.free.pop().unwrap_or_else(|| {
            self.pieces.push(Vec::new());
            (self.pieces.len() - 1) as u32
        });
        let mut bytes = std::mem::take(&mut self.spare);
        if bytes.capacity() != capacity {
            // All at once: grown by doubling it would have room for nearly as much again.
            bytes = Vec::with_capacity(capacity);
        }
        self.bytes += bytes.capacity();
        self.pieces[number as usize] = bytes;
        self.order.push_back(number);
        number
    }

    /// The key of an entry.
    pub(super) fn key(&self, place: Place) -> &[u8] {
        entry_at(self.piece(place), offset(place)).key()
    }

    /// Its value.
    pub(super) fn value(&self, place: Place) -> Option<&[u8]> {
        entry_at(self.piece(place), offset(place)).value()
    }

    /// Bytes of an entry.
    pub(super) fn size(&self, place: Place) -> usize {
        entry_at(self.piece(place), offset(place)).size()
    }

    /// Says whether it was used lately.
    pub(super) fn set_used(&mut self, place: Place, used: bool) {
        let (piece, start) = (&mut self.pieces[number(place)], offset(place));
        let steps = word(piece, start);
        set_word(piece, start, if used { steps | USED } else { steps & !USED });
    }

    /// Replaces its value where it lies, if it fits there: it does if its length is about the same, and a deletion always does.
    pub(super) fn replace(&mut self, place: Place, value: Option<&[u8]>) -> bool {
        let (piece, start) = (&mut self.pieces[number(place)], offset(place));
        let entry = entry_at(piece, start);
        let (from, room) = (start + HEADER + entry.key.len(), entry.room.len());
        let (steps, length) = (word(piece, start), word(piece, start + 4) & KEY);
        let bytes = value.unwrap_or_default();
        match room.checked_sub(bytes.len()) {
            Some(free) if free <= MOST_FREE => set_word(piece, start + 4, length | (free as u32) << 28),
            // A deletion keeps the room.
            _ if value.is_none() => {}
            _ => return false,
        }
        set_word(piece, start, if value.is_none() { steps | NO_VALUE } else { steps & !NO_VALUE });
        piece[from..from + bytes.len()].copy_from_slice(bytes);
        true
    }

    /// Takes the oldest piece out.
    pub(super) fn take_oldest(&mut self) -> Option<Piece> {
        let number = self.order.pop_front()?;
        let bytes = std::mem::take(&mut self.pieces[number as usize]);
        self.bytes -= bytes.capacity();
        Some(Piece { number, bytes })
    }

    /// Nothing in the piece is asked for any more.
    pub(super) fn give_back(&mut self, piece: Piece) {
        let Piece { number, mut bytes } = piece;
        if bytes.capacity() <= PIECE {
            bytes.clear();
            self.spare = bytes;
        }
        self.free.push(number);
    }

    /// Gives back what is kept for the next piece.
    pub(super) fn shrink(&mut self) {
        self.spare = Vec::new();
    }

    fn piece(&self, place: Place) -> &[u8] {
        &self.pieces[number(place)]
    }
}

impl Piece {
    /// Its entries.
    pub(super) fn entries(&self) -> impl Iterator<Item = (Place, Entry<'_>)> {
        let mut next = 0;
        std::iter::from_fn(move || {
            let start = next;
            (start < self.bytes.len()).then(|| {
                let entry = entry_at(&self.bytes, start);
                next += entry.size();
                (place(self.number, start), entry)
            })
        })
    }
}

/// An entry in a piece.
pub(super) struct Entry<'a> {
    steps: u32,
    key: &'a [u8],
    /// The value's bytes, and what is free behind them.
    room: &'a [u8],
    free: usize,
}

impl<'a> Entry<'a> {
    pub(super) fn key(&self) -> &'a [u8] {
        self.key
    }

    pub(super) fn value(&self) -> Option<&'a [u8]> {
        (self.steps & NO_VALUE == 0).then(|| &self.room[..self.room.len() - self.free])
    }

    pub(super) fn is_used(&self) -> bool {
        self.steps & USED != 0
    }

    pub(super) fn size(&self) -> usize {
        (self.steps & STEPS) as usize * STEP
    }
}

fn entry_at(piece: &[u8], start: usize) -> Entry<'_> {
    let (steps, lengths) = (word(piece, start), word(piece, start + 4));
    let size = (steps & STEPS) as usize * STEP;
    let (key, room) = piece[start + HEADER..start + size].split_at((lengths & KEY) as usize);
    Entry { steps, key, room, free: (lengths >> 28) as usize }
}

/// Bytes of a new piece for an entry of so many, where pieces are to have so many.
fn capacity(size: usize, piece: usize) -> usize {
    size.max(piece.min(PIECE))
}

fn word(piece: &[u8], start: usize) -> u32 {
    piece[start..].first_chunk().map_or(0, |bytes| u32::from_ne_bytes(*bytes))
}

fn set_word(piece: &mut [u8], start: usize, word: u32) {
    piece[start..start + 4].copy_from_slice(&word.to_ne_bytes());
}

fn place(number: u32, start: usize) -> Place {
    Place(number * (PIECE / STEP) as u32 + (start / STEP) as u32)
}

fn number(place: Place) -> usize {
    place.0 as usize / (PIECE / STEP)
}

fn offset(place: Place) -> usize {
    place.0 as usize % (PIECE / STEP) * STEP
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What an entry has.
    fn seen(entry: &Entry<'_>) -> (Vec<u8>, Option<Vec<u8>>, bool) {
        (entry.key().to_vec(), entry.value().map(<[u8]>::to_vec), entry.is_used())
    }

    proptest! {
        /// Against a list of entries; values are replaced where that is possible.
        #[test]
        fn entries_are_what_was_put_there(
            entries in prop::collection::vec((0usize..20, prop::option::of(0usize..40), prop::option::of(0usize..40), any::<bool>()), 0..60),
            piece in prop::sample::select(vec![0, 100, PIECE]),
        ) {
            let (mut log, mut model) = (Log::default(), Vec::new());
            for (number, (key, before, after, used)) in entries.into_iter().enumerate() {
                let bytes = |length: usize| vec![number as u8; length];
                let (key, before, after) = (bytes(key), before.map(bytes), after.map(bytes));
                prop_assert!(takes(&key, before.as_deref()));
                let place = log.append(&key, before.as_deref(), piece);
                prop_assert_eq!(log.size(place), size_of(&key, before.as_deref()));
                let is_replaced = log.replace(place, after.as_deref());
                prop_assert!(is_replaced || before != after);
                log.set_used(place, used);
                model.push((place, key, if is_replaced { after } else { before }, used));
            }
            for (place, key, value, _) in &model {
                prop_assert_eq!((log.key(*place), log.value(*place)), (key.as_slice(), value.as_deref()));
            }
            let mut model = model.into_iter();
            while let Some(taken) = log.take_oldest() {
                for (at, entry) in taken.entries() {
                    let (place, key, value, used) = model.next().unwrap();
                    prop_assert_eq!((at, seen(&entry)), (place, (key, value, used)));
                }
                log.give_back(taken);
            }
            prop_assert!(model.next().is_none());
            prop_assert_eq!((log.bytes(), log.pieces()), (0, 0));
        }
    }

    #[test]
    fn what_is_larger_than_a_piece_has_one_of_its_own() {
        let mut log = Log::default();
        let large = vec![7; 3 * PIECE];
        let places: Vec<Place> = (0..3).map(|key| log.append(&[key], Some(&large[key as usize..]), PIECE)).collect();
        let small = log.append(b"small", None, PIECE);
        assert_eq!(log.pieces(), 4);
        for (key, place) in places.into_iter().enumerate() {
            assert_eq!((log.key(place), log.value(place)), (&[key as u8][..], Some(&large[key..])));
        }
        assert_eq!((log.key(small), log.value(small)), (&b"small"[..], None));
    }
}
