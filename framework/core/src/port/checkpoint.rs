use std::fmt;

use crate::time::Timestamp;

/// A topic's identity, whatever its name: Kafka gives a topic an id when it is created, and another one when it is deleted and
/// created again (KIP-516). Shown as Kafka's tools show it, in URL-safe base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicId(pub [u8; 16]);

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        for bytes in self.0.chunks(3) {
            let group = bytes.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - bytes.len()));
            // Three bytes are four digits; one byte more is two, and there is no padding.
            for digit in 0..=bytes.len() {
                let index = group >> (18 - 6 * digit) & 63;
                write!(f, "{}", char::from(DIGITS[index as usize]))?;
            }
        }
        Ok(())
    }
}

/// How far a store is in its changelog; stored beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The next changelog offset to read.
    pub offset: i64,
    /// The changelog topic the offset belongs to; none if it was not known.
    pub topic: Option<TopicId>,
    /// The wall time as of which no deletion is missing. A compacted topic forgets a deletion `delete.retention.ms` after it was
    /// written, so a store that reads on later than that may keep a key for ever that was deleted meanwhile. It is the
    /// time of the write while the store has all of its changelog, and the time a restore began while it has not. None if it
    /// was not known.
    pub as_of: Option<Timestamp>,
}

impl Checkpoint {
    /// A checkpoint of which only the offset is known.
    pub const fn at(offset: i64) -> Checkpoint {
        Checkpoint { offset, topic: None, as_of: None }
    }
}

/// Why a store could not simply be continued where it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoreTrouble {
    /// The log begins after the store's offset: what lay between is gone (retention, `DeleteRecords`).
    Trimmed,
    /// The log ends before the store's offset.
    Truncated,
    /// The topic was deleted and created again.
    Recreated,
    /// The store was left alone for longer than the topic keeps deletions.
    Expired,
    /// The log's beginning overtook the restore.
    Overtaken,
    /// The files are damaged; they were put aside.
    Corrupt,
    /// The files are of an older format; they are read and written on in the current one.
    OlderFormat,
}

impl StoreTrouble {
    /// All of them.
    pub const ALL: [StoreTrouble; 7] = [
        StoreTrouble::Trimmed,
        StoreTrouble::Truncated,
        StoreTrouble::Recreated,
        StoreTrouble::Expired,
        StoreTrouble::Overtaken,
        StoreTrouble::Corrupt,
        StoreTrouble::OlderFormat,
    ];

    /// Its name in metrics and logs.
    pub fn label(self) -> &'static str {
        match self {
            StoreTrouble::Trimmed => "trimmed",
            StoreTrouble::Truncated => "truncated",
            StoreTrouble::Recreated => "recreated",
            StoreTrouble::Expired => "expired",
            StoreTrouble::Overtaken => "overtaken",
            StoreTrouble::Corrupt => "corrupt",
            StoreTrouble::OlderFormat => "older_format",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_shown_as_kafka_shows_them() {
        assert_eq!(TopicId([0; 16]).to_string(), "AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(TopicId([255; 16]).to_string(), "_____________________w");
        // Of RFC 4648: "foobarfoobarfoob".
        assert_eq!(TopicId(*b"foobarfoobarfoob").to_string(), "Zm9vYmFyZm9vYmFyZm9vYg");
    }
}
