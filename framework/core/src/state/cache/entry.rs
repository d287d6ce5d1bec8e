/// What an entry costs beside its bytes: its place in the table, of which three of eight are empty on average, and what the allocator rounds up to.
const OVERHEAD: usize = 60;
const NO_VALUE: u32 = 1 << 31;
const USED: u32 = 1 << 30;

/// A key with its value, or with the knowledge that it has none, in one piece of memory.
#[derive(Debug)]
pub(super) struct Entry {
    bytes: Box<[u8]>,
    /// The length of the key, with the highest bit set where there is no value, and the next one if it was used lately. It lies in the table, where the
    /// hand that goes round there need not look anywhere else.
    header: u32,
}

impl Entry {
    pub(super) fn new(key: &[u8], value: Option<&[u8]>) -> Entry {
        let mut bytes = Vec::with_capacity(key.len() + value.map_or(0, <[u8]>::len));
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(value.unwrap_or_default());
        // Keys are shorter than records, and those than 1 GiB.
        let length = key.len() as u32;
        Entry { bytes: bytes.into_boxed_slice(), header: if value.is_some() { length } else { length | NO_VALUE } }
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.bytes[..self.key_length()]
    }

    pub(super) fn value(&self) -> Option<&[u8]> {
        (self.header & NO_VALUE == 0).then(|| &self.bytes[self.key_length()..])
    }

    /// Replaces the value: where it lies if its length is the same, which it is as a rule.
    pub(super) fn set(&mut self, value: Option<&[u8]>) {
        let start = self.key_length();
        match (self.value(), value) {
            (Some(before), Some(value)) if before.len() == value.len() => self.bytes[start..].copy_from_slice(value),
            (None, None) => {}
            _ => *self = Entry::new(self.key(), value),
        }
    }

    /// Whether it was used lately.
    pub(super) fn is_used(&self) -> bool {
        self.header & USED != 0
    }

    pub(super) fn set_used(&mut self, used: bool) {
        self.header = if used { self.header | USED } else { self.header & !USED };
    }

    /// Bytes of memory, roughly.
    pub(super) fn size(&self) -> usize {
        self.bytes.len() + OVERHEAD
    }

    /// Those an entry of this key and value would have.
    pub(super) fn size_of(key: &[u8], value: Option<&[u8]>) -> usize {
        key.len() + value.map_or(0, <[u8]>::len) + OVERHEAD
    }

    fn key_length(&self) -> usize {
        (self.header & !(NO_VALUE | USED)) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_come_go_and_change_its_length() {
        for before in [None, Some(&b""[..]), Some(b"abc")] {
            for after in [None, Some(&b""[..]), Some(b"xyz"), Some(b"longer")] {
                let mut entry = Entry::new(b"key", before);
                assert_eq!((entry.key(), entry.value()), (&b"key"[..], before));
                entry.set(after);
                assert_eq!((entry.key(), entry.value()), (&b"key"[..], after));
                assert_eq!(entry.size(), OVERHEAD + 3 + after.map_or(0, <[u8]>::len));
                entry.set_used(true);
                assert_eq!((entry.key(), entry.value(), entry.is_used()), (&b"key"[..], after, true));
                entry.set_used(false);
                assert_eq!((entry.key(), entry.value(), entry.is_used()), (&b"key"[..], after, false));
            }
        }
    }
}
