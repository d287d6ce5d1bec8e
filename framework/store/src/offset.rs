//! Where a store's changelog offset lives: in RocksDB's own `default` column family, under the name of the store.
//!
//! Not inside the store's column family, where every byte string may be a user's key. Being in another one costs
//! nothing: a write batch spans column families, and they are flushed together.

use std::path::Path;

use headwater_core::port::StoreError;

use crate::error;

const PREFIX: &str = "offset:";

/// The key of a store's offset.
pub(crate) fn key(store: &str) -> Vec<u8> {
    format!("{PREFIX}{store}").into_bytes()
}

/// The value: the offset, big-endian.
pub(crate) fn encode(offset: i64) -> [u8; 8] {
    offset.to_be_bytes()
}

/// Reads a value back; anything but eight bytes was not written by us.
pub(crate) fn decode(path: &Path, store: &str, value: &[u8]) -> Result<i64, StoreError> {
    let bytes = value
        .try_into()
        .map_err(|_| error::foreign(path, format!("the offset of store {store:?} has {} bytes, expected 8", value.len())))?;
    Ok(i64::from_be_bytes(bytes))
}
