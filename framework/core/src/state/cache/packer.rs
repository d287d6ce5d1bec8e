//! Values made shorter by a table of what is frequent in them: FSST (Boncz, Neumann, Leis, "FSST: Fast Random Access String Compression", VLDB 2020). Each is packed by
//! itself, so each is unpacked by itself.

use fsst::Compressor;

/// Values that a table is made of.
const SAMPLE: usize = 512;
/// Bytes of values on average from which packing is tried. What is short is mostly numbers.
const SHORT: usize = 24;
/// Bytes of a value that is packed, at most: beside larger ones an entry costs nothing, and each has to be unpacked into memory of its own.
const LONG: usize = 16 << 10;
/// Of a hundred bytes, those that packing has to leave at most.
const WORTH: usize = 70;
/// Bytes of a symbol.
const SYMBOL: usize = 8;
/// Stands before a byte that no symbol has.
const ESCAPE: u8 = 255;

/// Bytes of a table: what two bytes begin is found in one of 65,536 places, what three do in one of 2,048.
pub(super) const TABLE: usize = if cfg!(test) { 200 } else { 192 << 10 };

pub(super) struct Packer(Compressor);

impl Packer {
    /// A table made of some of these values; none if they would not become much shorter.
    pub(super) fn of<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Packer> {
        let sample: Vec<&[u8]> = values.take(SAMPLE).collect();
        let bytes: usize = sample.iter().map(|value| value.len()).sum();
        if sample.is_empty() || bytes < SHORT * sample.len() {
            return None;
        }
        let packer = Packer(Compressor::train(&sample));
        let packed: usize = sample.iter().map(|value| packer.pack(value).len()).sum();
        is_worth_it(bytes, packed).then_some(packer)
    }

    /// Whether a value is worth a try.
    pub(super) fn takes(value: &[u8]) -> bool {
        (SHORT..=LONG).contains(&value.len())
    }

    pub(super) fn pack(&self, value: &[u8]) -> Vec<u8> {
        self.0.compress(value)
    }

    /// What was packed, in the front of `into`, which becomes as long as it takes.
    pub(super) fn unpack<'a>(&self, packed: &[u8], into: &'a mut Vec<u8>) -> &'a [u8] {
        // Every code has its symbol's bytes written whole, whatever is of use of them.
        let most = packed.len() * SYMBOL;
        if into.len() < most {
            into.resize(most, 0);
        }
        let (symbols, lengths) = (self.0.symbol_table(), self.0.symbol_lengths());
        let (mut codes, mut end) = (packed.iter(), 0);
        while let Some(code) = codes.next() {
            if *code == ESCAPE {
                into[end] = codes.next().copied().unwrap_or_default();
                end += 1;
            } else {
                let code = usize::from(*code);
                into[end..end + SYMBOL].copy_from_slice(&symbols[code].to_u64().to_le_bytes());
                end += usize::from(lengths[code]);
            }
        }
        &into[..end]
    }
}

/// Whether so many bytes are few enough for what they were before.
pub(super) fn is_worth_it(plain: usize, packed: usize) -> bool {
    packed * 100 <= plain * WORTH
}

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packer").field("symbols", &self.0.n_symbols()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(number: u32) -> Vec<u8> {
        format!("{{\"account\":\"acc-{number:08}\",\"tier\":\"{}\"}}", ["gold", "silver"][number as usize % 2]).into_bytes()
    }

    fn of(values: &[Vec<u8>]) -> Option<Packer> {
        Packer::of(values.iter().map(Vec::as_slice))
    }

    proptest! {
        #[test]
        fn what_was_packed_is_unpacked(values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 1..20)) {
            let rows: Vec<Vec<u8>> = (0..100).map(row).collect();
            let packer = of(&rows).unwrap();
            let mut room = Vec::new();
            for value in values.iter().chain(&rows) {
                let packed = packer.pack(value);
                prop_assert_eq!(packer.unpack(&packed, &mut room), value.as_slice());
            }
        }
    }

    #[test]
    fn only_what_becomes_much_shorter_is_packed() {
        let rows: Vec<Vec<u8>> = (0..1000).map(row).collect();
        let packer = of(&rows).unwrap();
        let bytes = |number| (row(number).len(), packer.pack(&row(number)).len());
        for number in [1_000, 77_777_777] {
            let (plain, packed) = bytes(number);
            assert!(packed * 2 < plain, "{packed} of {plain}");
        }
        assert!(of(&[]).is_none());
        let numbers: Vec<Vec<u8>> = (0..1000_u64).map(|number| number.to_be_bytes().to_vec()).collect();
        assert!(of(&numbers).is_none(), "too short");
        let noise = |number: u64| (1..=8).flat_map(|n| (number * n).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()).collect();
        assert!(of(&(1..1000).map(noise).collect::<Vec<_>>()).is_none(), "nothing is frequent");
    }
}
