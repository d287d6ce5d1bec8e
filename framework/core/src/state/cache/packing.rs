//! When values are packed: once memory has become short, if it makes theirs much shorter, and as long as it does.

use super::log::Value;
use super::packer::{Packer, TABLE, is_worth_it};

/// Bytes of a cache's room, at least, for which a table is worth its own. Few in tests, so that little is enough.
const LEAST: usize = if cfg!(test) { 2_000 } else { 4 << 20 };
/// Bytes of values after which it is looked whether packing still makes them shorter.
const JUDGED: usize = if cfg!(test) { 2_000 } else { 16 << 20 };
/// Pieces that go before it is tried again where it was in vain: all the memory several times over.
const REST: usize = if cfg!(test) { 8 } else { 256 };

#[derive(Debug, Default)]
pub(super) struct Packing {
    packer: Option<Box<Packer>>,
    /// Whether there is a packer only for what it has packed before.
    is_ending: bool,
    /// Packed values that there are.
    values: usize,
    /// Bytes of values since the last look, before and after.
    plain: usize,
    packed: usize,
    /// Pieces until it is tried again.
    rest: usize,
    /// The value unpacked last.
    room: Vec<u8>,
}

impl Packing {
    /// Bytes of its table.
    pub(super) fn bytes(&self) -> usize {
        if self.packer.is_some() { TABLE } else { 0 }
    }

    /// Whether its table is too large for a cache of so many bytes, which had more when it was made.
    pub(super) fn is_too_large_for(&self, limit: usize) -> bool {
        self.packer.is_some() && limit < LEAST / 2
    }

    /// A piece has to go from a cache with so much room: whether to try now.
    pub(super) fn is_due(&mut self, room: usize) -> bool {
        if self.packer.is_some() || room < LEAST {
            return false;
        }
        self.rest = self.rest.saturating_sub(1);
        self.rest == 0
    }

    /// Tries to find out from some values how to make the next ones shorter.
    pub(super) fn learn<'a>(&mut self, values: impl Iterator<Item = &'a [u8]>) {
        self.packer = Packer::of(values).map(Box::new);
        (self.is_ending, self.values, self.plain, self.packed, self.rest) = (false, 0, 0, 0, REST);
    }

    /// The value packed, where it is to be.
    pub(super) fn pack(&mut self, value: Option<&[u8]>) -> Option<Vec<u8>> {
        let packer = self.packer.as_ref().filter(|_| !self.is_ending)?;
        let value = value.filter(|value| Packer::takes(value))?;
        let packed = packer.pack(value);
        self.plain += value.len();
        self.packed += packed.len();
        if self.plain >= JUDGED {
            self.is_ending = !is_worth_it(self.plain, self.packed);
            (self.plain, self.packed) = (0, 0);
            if self.is_ending {
                self.end();
                return None;
            }
        }
        (packed.len() < value.len()).then_some(packed)
    }

    /// A value as it was.
    pub(super) fn read<'a>(&'a mut self, value: Value<'a>) -> Option<&'a [u8]> {
        match (value, &self.packer) {
            (Value::Plain(bytes), _) => Some(bytes),
            (Value::Packed(bytes), Some(packer)) => Some(packer.unpack(bytes, &mut self.room)),
            (Value::Nothing | Value::Packed(_), _) => None,
        }
    }

    /// Whether a value may stay as it is when all that is not to stay goes: not if it is packed and nothing is to be any more.
    pub(super) fn keeps(&self, value: Value<'_>) -> bool {
        !self.is_ending || !value.is_packed()
    }

    /// A value came, packed or not.
    pub(super) fn came(&mut self, is_packed: bool) {
        self.values += usize::from(is_packed);
    }

    /// A value went.
    pub(super) fn went(&mut self, is_packed: bool) {
        self.values -= usize::from(is_packed);
        self.end();
    }

    /// Lets go of a packer that has nothing left to unpack.
    fn end(&mut self) {
        if self.is_ending && self.values == 0 {
            *self = Packing { rest: REST, ..Packing::default() };
        }
    }
}
