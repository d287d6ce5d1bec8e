use crate::entry::{self, Entry, SORTING};

/// Changes of a changelog in their order, held in memory until there are enough of them to be sorted and written at once.
/// Keys and values lie in one piece of memory, so that what they cost is known.
#[derive(Debug, Default)]
pub(crate) struct Run {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

impl Run {
    /// A run with room for `bytes`: memory is taken as it is used, and never copied to grow.
    pub(crate) fn with_room_for(bytes: usize) -> Run {
        Run { bytes: Vec::with_capacity(bytes), entries: Vec::new() }
    }

    /// Adds a change behind all others.
    pub(crate) fn push(&mut self, key: &[u8], value: Option<&[u8]>) {
        self.entries.push(Entry::append(&mut self.bytes, key, value));
    }

    /// Bytes of memory in use, once it is sorted.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len() + self.entries.len() * (size_of::<Entry>() + SORTING)
    }

    /// The last change of each key, by ascending key.
    pub(crate) fn sorted(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let at = |place: u32| &self.entries[place as usize];
        let mut order = entry::sorted(&self.bytes, &self.entries).peekable();
        std::iter::from_fn(move || {
            let mut entry = at(order.next()?);
            while let Some(next) = order.peek().map(|next| at(*next))
                && next.key(&self.bytes) == entry.key(&self.bytes)
            {
                entry = next;
                order.next();
            }
            Some((entry.key(&self.bytes), entry.value(&self.bytes)))
        })
    }

    /// Forgets the changes and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_last_change_of_a_key_wins() {
        let mut run = Run::with_room_for(100);
        let changes: [(&str, Option<&str>); 7] = [
            ("b", Some("1")),
            ("a", Some("2")),
            ("b", None),
            ("", Some("3")),
            ("a", Some("")),
            ("ab", Some("4")),
            ("b", Some("5")),
        ];
        changes.iter().for_each(|(key, value)| run.push(key.as_bytes(), value.map(str::as_bytes)));
        let sorted: Vec<_> = run.sorted().collect();
        let expected: [(&[u8], Option<&[u8]>); 4] =
            [(b"", Some(b"3")), (b"a", Some(b"")), (b"ab", Some(b"4")), (b"b", Some(b"5"))];
        assert_eq!(sorted, expected);
        run.clear();
        assert!(run.size() == 0 && run.sorted().next().is_none());
    }

    #[test]
    fn many_changes_are_what_a_map_makes_of_them() {
        let (mut run, mut map) = (Run::default(), BTreeMap::new());
        let mut number = 7_u32;
        for _ in 0..10_000 {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let key = (number >> 20).to_string();
            let value = (!number.is_multiple_of(3)).then(|| number.to_string());
            run.push(key.as_bytes(), value.as_ref().map(String::as_bytes));
            map.insert(key.into_bytes(), value.map(String::into_bytes));
        }
        let sorted = run.sorted().map(|(key, value)| (key.to_vec(), value.map(<[u8]>::to_vec)));
        assert!(sorted.eq(map));
    }
}
