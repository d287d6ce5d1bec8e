use std::cmp::Ordering;
use std::iter::Peekable;

use bytes::Bytes;

use super::overlay::Written;
use crate::port::{ScanItem, StoreError};

/// Two layers of writes by ascending key. The newer one hides the older one's of the same key.
pub(super) fn layered<'a>(
    newer: impl Iterator<Item = (&'a Bytes, &'a Written)>,
    older: impl Iterator<Item = (&'a Bytes, &'a Written)>,
) -> impl Iterator<Item = (&'a Bytes, &'a Written)> {
    let (mut newer, mut older) = (newer.peekable(), older.peekable());
    std::iter::from_fn(move || {
        let order = match (newer.peek(), older.peek()) {
            (Some((new, _)), Some((old, _))) => new.cmp(old),
            (Some(_), None) => Ordering::Less,
            (None, _) => Ordering::Greater,
        };
        match order {
            Ordering::Less => newer.next(),
            Ordering::Greater => older.next(),
            Ordering::Equal => {
                older.next();
                newer.next()
            }
        }
    })
}

/// Committed entries with a transaction's writes in front, by ascending key.
pub(crate) struct MergedScan<'a> {
    written: Peekable<Box<dyn Iterator<Item = (&'a Bytes, &'a Written)> + 'a>>,
    committed: Peekable<Box<dyn Iterator<Item = ScanItem> + 'a>>,
}

impl<'a> MergedScan<'a> {
    pub(crate) fn new(
        written: impl Iterator<Item = (&'a Bytes, &'a Written)> + 'a,
        committed: Box<dyn Iterator<Item = ScanItem> + 'a>,
    ) -> MergedScan<'a> {
        let written: Box<dyn Iterator<Item = _> + 'a> = Box::new(written);
        MergedScan { written: written.peekable(), committed: committed.peekable() }
    }
}

impl Iterator for MergedScan<'_> {
    type Item = Result<(Bytes, Bytes), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let written_comes_first = match (self.written.peek(), self.committed.peek()) {
                (None, _) | (_, Some(Err(_))) => false,
                (Some(_), None) => true,
                (Some((written, _)), Some(Ok((committed, _)))) => *written <= committed,
            };
            if !written_comes_first {
                return self.committed.next();
            }
            let (key, value) = self.written.next()?;
            // The write hides the committed entry of the same key.
            self.committed.next_if(|entry| entry.as_ref().is_ok_and(|(committed, _)| committed == key));
            if let Some(value) = value {
                return Some(Ok((key.clone(), value.clone())));
            }
        }
    }
}
