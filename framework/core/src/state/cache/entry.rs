/// What an entry costs beside its bytes: its place in the table, and what the allocator rounds up to.
const OVERHEAD: usize = 48;
/// The length of the key comes first, with the highest bit set where there is no value, and the next one if it was used lately.
const HEADER: usize = 4;
const NO_VALUE: u32 = 1 << 31;
const USED: u32 = 1 << 30;

/// A key with its value, or with the knowledge that it has none, in one piece of memory.
#[derive(Debug)]
pub(super) struct Entry(Box<[u8]>);

impl Entry {
    pub(super) fn new(key: &[u8], value: Option<&[u8]>) -> Entry {
        let mut bytes = Vec::with_capacity(HEADER + key.len() + value.map_or(0, <[u8]>::len));
        bytes.extend_from_slice(&header(key, value).to_le_bytes());
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(value.unwrap_or_default());
        Entry(bytes.into_boxed_slice())
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.0[HEADER..HEADER + self.key_length()]
    }

    pub(super) fn value(&self) -> Option<&[u8]> {
        (self.header() & NO_VALUE == 0).then(|| &self.0[HEADER + self.key_length()..])
    }

    /// Replaces the value: where it lies if its length is the same, which it is as a rule.
    pub(super) fn set(&mut self, value: Option<&[u8]>) {
        let start = HEADER + self.key_length();
        match (self.value(), value) {
            (Some(before), Some(value)) if before.len() == value.len() => self.0[start..].copy_from_slice(value),
            (None, None) => {}
            _ => *self = Entry::new(self.key(), value),
        }
    }

    /// Whether it was used lately.
    pub(super) fn is_used(&self) -> bool {
        self.header() & USED != 0
    }

    pub(super) fn set_used(&mut self, used: bool) {
        let header = if used { self.header() | USED } else { self.header() & !USED };
        self.0[..HEADER].copy_from_slice(&header.to_le_bytes());
    }

    /// Bytes of memory, roughly.
    pub(super) fn size(&self) -> usize {
        self.0.len() + OVERHEAD
    }

    /// Those an entry of this key and value would have.
    pub(super) fn size_of(key: &[u8], value: Option<&[u8]>) -> usize {
        HEADER + key.len() + value.map_or(0, <[u8]>::len) + OVERHEAD
    }

    fn key_length(&self) -> usize {
        (self.header() & !(NO_VALUE | USED)) as usize
    }

    fn header(&self) -> u32 {
        self.0.first_chunk().copied().map_or(0, u32::from_le_bytes)
    }
}

/// Keys are shorter than records, and those than 1 GiB.
fn header(key: &[u8], value: Option<&[u8]>) -> u32 {
    let length = key.len() as u32;
    if value.is_some() { length } else { length | NO_VALUE }
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
                assert_eq!(entry.size(), OVERHEAD + HEADER + 3 + after.map_or(0, <[u8]>::len));
                entry.set_used(true);
                assert_eq!((entry.key(), entry.value(), entry.is_used()), (&b"key"[..], after, true));
                entry.set_used(false);
                assert_eq!((entry.key(), entry.value(), entry.is_used()), (&b"key"[..], after, false));
            }
        }
    }
}
