//! Where a store's checkpoint lives, and its bytes: in RocksDB's own `default` column family, under the name of the store.
//!
//! Not inside the store's column family, where every byte string may be a user's key. Being in another one costs
//! nothing: a write batch spans column families, and they are flushed together. It comes with the last of the changes that it accounts for.

use std::path::Path;

use headwater_core::Timestamp;
use headwater_core::port::{Checkpoint, StoreError, TopicId};

use crate::error;

const PREFIX: &str = "offset:";
/// The first byte of a value. Format 1 had no such byte, only the eight of the offset.
const VERSION: u8 = 2;
const LENGTH: usize = 1 + 8 + 16 + 8;

/// The key of a store's checkpoint.
pub(crate) fn key(store: &str) -> Vec<u8> {
    format!("{PREFIX}{store}").into_bytes()
}

/// The value: version, offset, topic id (zero: not known), time (the least number: not known); numbers big-endian.
pub(crate) fn encode(checkpoint: &Checkpoint) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(LENGTH);
    bytes.push(VERSION);
    bytes.extend(checkpoint.offset.to_be_bytes());
    bytes.extend(checkpoint.topic.map_or([0; 16], |id| id.0));
    bytes.extend(checkpoint.as_of.unwrap_or(Timestamp::MIN).as_millis().to_be_bytes());
    bytes
}

/// Whether a value is of format 1.
pub(crate) fn is_old(value: &[u8]) -> bool {
    value.len() == 8
}

/// Reads a value back. One of a newer version is refused: what it says more may be what matters.
pub(crate) fn decode(path: &Path, store: &str, value: &[u8]) -> Result<Checkpoint, StoreError> {
    if let Ok(offset) = <[u8; 8]>::try_from(value) {
        return Ok(Checkpoint::at(i64::from_be_bytes(offset)));
    }
    let refuse =
        |what: String| error::foreign(path, format!("the checkpoint of store {store:?} {what}, expected version {VERSION}"));
    match value.split_first() {
        Some((&VERSION, rest)) => parse(rest).ok_or_else(|| refuse(format!("has {} bytes, not {LENGTH}", value.len()))),
        Some((version, _)) => Err(refuse(format!("is of version {version}"))),
        None => Err(refuse(String::from("is empty"))),
    }
}

fn parse(bytes: &[u8]) -> Option<Checkpoint> {
    let (offset, rest) = bytes.split_first_chunk::<8>()?;
    let (topic, rest) = rest.split_first_chunk::<16>()?;
    let as_of = Timestamp::from_millis(i64::from_be_bytes(rest.try_into().ok()?));
    Some(Checkpoint {
        offset: i64::from_be_bytes(*offset),
        topic: (*topic != [0; 16]).then_some(TopicId(*topic)),
        as_of: (as_of != Timestamp::MIN).then_some(as_of),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &[u8]) -> Result<Checkpoint, String> {
        decode(Path::new("/state"), "s", value).map_err(|failure| failure.to_string())
    }

    #[test]
    fn version_2_reads_as_it_was_written() {
        let full = Checkpoint { offset: 258, topic: Some(TopicId([7; 16])), as_of: Some(Timestamp::from_millis(5)) };
        let bytes = [&[2, 0, 0, 0, 0, 0, 0, 1, 2][..], &[7; 16], &[0, 0, 0, 0, 0, 0, 0, 5]].concat();
        assert_eq!(encode(&full), bytes, "the record of a released version does not change");
        assert_eq!(read(&bytes), Ok(full));
        assert_eq!(read(&encode(&Checkpoint::at(-1))), Ok(Checkpoint::at(-1)));
    }

    #[test]
    fn version_1_was_an_offset_alone() {
        assert_eq!(read(&[0, 0, 0, 0, 0, 0, 1, 2]), Ok(Checkpoint::at(258)));
    }

    #[test]
    fn what_is_newer_or_not_ours_is_refused() {
        let refused = |value: &[u8], what: &str| {
            let expected = format!("state at /state cannot be used: the checkpoint of store \"s\" {what}, expected version 2");
            assert_eq!(read(value), Err(expected));
        };
        refused(&[3; 40], "is of version 3");
        refused(&[2; 32], "has 32 bytes, not 33");
        refused(&[], "is empty");
    }
}
