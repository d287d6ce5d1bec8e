//! One stored value with its timestamp: `[format = 1][timestamp, 8 bytes big-endian][payload]`. The leading byte leaves room for
//! later formats (headers, versions); every value in a store and its changelog begins so.

use crate::codec::{Codec, CodecError};
use crate::time::Timestamp;

const FORMAT: u8 = 1;
/// Bytes before the payload.
pub(crate) const HEADER: usize = 9;

/// Begins a cell; the payload is appended by the caller.
pub(crate) fn begin(timestamp: Timestamp, buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.push(FORMAT);
    buffer.extend_from_slice(&timestamp.as_millis().to_be_bytes());
}

/// Takes a cell apart.
pub(crate) fn split(cell: &[u8]) -> Result<(Timestamp, &[u8]), CodecError> {
    let unknown = || CodecError(format!("stored value of {} bytes is not in format {FORMAT}", cell.len()));
    let (&format, rest) = cell.split_first().ok_or_else(unknown)?;
    let (timestamp, payload) = rest.split_first_chunk::<8>().ok_or_else(unknown)?;
    if format != FORMAT {
        return Err(CodecError(format!("stored value has format {format}; this version reads format {FORMAT}")));
    }
    Ok((Timestamp::from_millis(i64::from_be_bytes(*timestamp)), payload))
}

/// The value in a cell, if there is one.
pub(crate) fn decode<V, C: Codec<V>>(cell: Option<&[u8]>) -> Result<Option<V>, CodecError> {
    cell.map(|cell| C::decode(split(cell)?.1)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_and_refuses_other_formats() {
        let mut cell = Vec::new();
        begin(Timestamp::from_millis(-5), &mut cell);
        cell.extend_from_slice(b"payload");
        assert_eq!(split(&cell).unwrap(), (Timestamp::from_millis(-5), &b"payload"[..]));
        cell[0] = 9;
        assert!(split(&cell).unwrap_err().to_string().contains("format 9"));
        assert!(split(&[1, 2]).is_err());
    }
}
