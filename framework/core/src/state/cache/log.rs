//! Keys with their values in memory, one behind the other in pieces of some ten thousand bytes, so that an entry costs little more than its bytes and no
//! allocation. What is old goes piece by piece (log-structured memory, Rumble et al., FAST 2014).

use std::collections::VecDeque;

/// Bytes of a piece at most, but for one with a single large entry.
const PIECE: usize = 64 << 10;
/// Entries begin at multiples of this, so that a place is a 32-bit number in 16 GiB.
const STEP: usize = 4;
/// Bytes before a key.
const HEADER: usize = 8;

const USED: u32 = 1 << 31;
const NO_VALUE: u32 = 1 << 30;
const PACKED: u32 = 1 << 29;
/// The bits of an entry's size, in steps.
const STEPS: u32 = PACKED - 1;
/// The bits of a key's length; those above them have how much of the room for the value is free.
const KEY: u32 = (1 << 28) - 1;
const MOST_FREE: usize = 15;

/// Where an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(u32);

/// A key's value as it lies here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// There is none.
    Nothing,
    Plain(&'a [u8]),
    /// Made shorter by whoever knows how to read it.
    Packed(&'a [u8]),
}

impl<'a> Value<'a> {
    pub(super) fn is_some(self) -> bool {
        self != Value::Nothing
    }

    pub(super) fn is_packed(self) -> bool {
        matches!(self, Value::Packed(_))
    }

    fn bytes(self) -> &'a [u8] {
        match self {
            Value::Nothing => &[],
            Value::Plain(bytes) | Value::Packed(bytes) => bytes,
        }
    }

    fn flag(self) -> u32 {
        match self {
            Value::Nothing => NO_VALUE,
            Value::Plain(_) => 0,
            Value::Packed(_) => PACKED,
        }
    }

    fn of(bytes: &'a [u8], flags: u32) -> Value<'a> {
        match flags & (NO_VALUE | PACKED) {
            0 => Value::Plain(bytes),
            PACKED => Value::Packed(bytes),
            _ => Value::Nothing,
        }
    }
}

impl<'a> From<Option<&'a [u8]>> for Value<'a> {
    fn from(value: Option<&'a [u8]>) -> Value<'a> {
        value.map_or(Value::Nothing, Value::Plain)
    }
}

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
pub(super) fn size_of(key: &[u8], value: Value<'_>) -> usize {
    (HEADER + key.len() + value.bytes().len()).next_multiple_of(STEP)
}

/// Whether an entry with such a key can be here.
pub(super) fn takes(key: &[u8], value: Value<'_>) -> bool {
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
    pub(super) fn append(&mut self, key: &[u8], value: Value<'_>, piece: usize) -> Place {
        let size = size_of(key, value);
        let number = self.open_for(size, piece).unwrap_or_else(|| self.begin_piece(capacity(size, piece)));
        let bytes = &mut self.pieces[number as usize];
        let start = bytes.len();
        let free = size - HEADER - key.len() - value.bytes().len();
        let steps = (size / STEP) as u32 | value.flag();
        bytes.extend_from_slice(&steps.to_ne_bytes());
        bytes.extend_from_slice(&(key.len() as u32 | (free as u32) << 28).to_ne_bytes());
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(value.bytes());
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
    pub(super) fn value(&self, place: Place) -> Value<'_> {
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
    pub(super) fn replace(&mut self, place: Place, value: Value<'_>) -> bool {
        let (piece, start) = (&mut self.pieces[number(place)], offset(place));
        let entry = entry_at(piece, start);
        let (from, room) = (start + HEADER + entry.key.len(), entry.room.len());
        let (steps, length) = (word(piece, start), word(piece, start + 4) & KEY);
        let bytes = value.bytes();
        match room.checked_sub(bytes.len()) {
            Some(free) if free <= MOST_FREE => set_word(piece, start + 4, length | (free as u32) << 28),
            // A deletion keeps the room.
            _ if value == Value::Nothing => {}
            _ => return false,
        }
        set_word(piece, start, steps & !(NO_VALUE | PACKED) | value.flag());
        piece[from..from + bytes.len()].copy_from_slice(bytes);
        true
    }

    /// What is in the oldest piece.
    pub(super) fn oldest(&self) -> impl Iterator<Item = Entry<'_>> {
        let bytes = self.order.front().map_or(&[][..], |number| &self.pieces[*number as usize]);
        entries_in(bytes).map(|(_, entry)| entry)
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
        entries_in(&self.bytes).map(|(start, entry)| (place(self.number, start), entry))
    }
}

/// A piece's entries, with where they begin.
fn entries_in(piece: &[u8]) -> impl Iterator<Item = (usize, Entry<'_>)> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let start = next;
        (start < piece.len()).then(|| {
            let entry = entry_at(piece, start);
            next += entry.size();
            (start, entry)
        })
    })
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

    pub(super) fn value(&self) -> Value<'a> {
        Value::of(&self.room[..self.room.len() - self.free], self.steps)
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

    /// A value of so many bytes, if it is one, packed if their number says so.
    fn value(bytes: Option<&[u8]>) -> Value<'_> {
        match bytes {
            Some(bytes) if bytes.len() % 3 == 0 => Value::Packed(bytes),
            bytes => bytes.into(),
        }
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
                prop_assert!(takes(&key, value(before.as_deref())));
                let place = log.append(&key, value(before.as_deref()), piece);
                prop_assert_eq!(log.size(place), size_of(&key, value(before.as_deref())));
                let is_replaced = log.replace(place, value(after.as_deref()));
                prop_assert!(is_replaced || before != after);
                log.set_used(place, used);
                model.push((place, key, if is_replaced { after } else { before }, used));
            }
            for (place, key, bytes, _) in &model {
                prop_assert_eq!((log.key(*place), log.value(*place)), (key.as_slice(), value(bytes.as_deref())));
            }
            let mut model = model.into_iter();
            while let Some(taken) = log.take_oldest() {
                for (at, entry) in taken.entries() {
                    let (place, key, bytes, used) = model.next().unwrap();
                    prop_assert_eq!((at, entry.key(), entry.value()), (place, key.as_slice(), value(bytes.as_deref())));
                    prop_assert_eq!(entry.is_used(), used);
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
        let places: Vec<Place> = (0..3).map(|key| log.append(&[key], Value::Plain(&large[key as usize..]), PIECE)).collect();
        let small = log.append(b"small", Value::Nothing, PIECE);
        assert_eq!(log.pieces(), 4);
        for (key, place) in places.into_iter().enumerate() {
            assert_eq!((log.key(place), log.value(place)), (&[key as u8][..], Value::Plain(&large[key..])));
        }
        assert_eq!((log.key(small), log.value(small)), (&b"small"[..], Value::Nothing));
    }
}
