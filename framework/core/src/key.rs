//! Keys: what records are partitioned by and state is kept under.

use bytes::Bytes;

use crate::codec::CodecError;
use crate::window::Windowed;

/// A record's key. Encoding and decoding must be each other's inverse: the bytes decide the partition and name the state.
///
/// Text is its UTF-8 bytes and integers are big-endian, as Kafka's own `StringSerializer`, `IntegerSerializer` and
/// `LongSerializer` write them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a record's key",
    label = "not a key",
    note = "keys are `String`, `Bytes`, `i32`, `i64`, `u32`, `u64`, `()` or a type of your own that implements `headwater::Key`"
)]
pub trait Key: Clone + 'static {
    /// Appends the key's bytes.
    fn encode(&self, buffer: &mut Vec<u8>);
    /// Reads a key from exactly these bytes.
    fn decode(bytes: &[u8]) -> Result<Self, CodecError>;
    /// The part of the encoded key that decides the partition. All of it, except for windowed keys.
    fn partitioned_by(encoded: &[u8]) -> &[u8] {
        encoded
    }
}

impl Key for String {
    fn encode(&self, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(self.as_bytes());
    }

    fn decode(bytes: &[u8]) -> Result<String, CodecError> {
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|e| CodecError(format!("key is not UTF-8: {e}")))
    }
}

impl Key for Bytes {
    fn encode(&self, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(self);
    }

    fn decode(bytes: &[u8]) -> Result<Bytes, CodecError> {
        Ok(Bytes::copy_from_slice(bytes))
    }
}

/// The key of a stream that has one group only: no bytes at all.
impl Key for () {
    fn encode(&self, _buffer: &mut Vec<u8>) {}

    fn decode(bytes: &[u8]) -> Result<(), CodecError> {
        if bytes.is_empty() { Ok(()) } else { Err(CodecError(format!("expected an empty key, found {} bytes", bytes.len()))) }
    }
}

macro_rules! big_endian_key {
    ($($int:ty),*) => {$(
        impl Key for $int {
            fn encode(&self, buffer: &mut Vec<u8>) {
                buffer.extend_from_slice(&self.to_be_bytes());
            }

            fn decode(bytes: &[u8]) -> Result<$int, CodecError> {
                bytes.try_into().map(<$int>::from_be_bytes).map_err(|_| {
                    let (want, have) = (size_of::<$int>(), bytes.len());
                    CodecError(format!("key is not a big-endian {}: {want} bytes expected, {have} found", stringify!($int)))
                })
            }
        }
    )*};
}

big_endian_key!(i32, u32, i64, u64);

/// The inner key's bytes, then the window's start in milliseconds as 8 big-endian bytes: the format of Kafka Streams'
/// `TimeWindowedSerializer`. Partitioned by the inner key only, so all windows of a key stay together. The window's
/// length is not in the bytes: it is the reader's to know, and a decoded key has length zero.
impl<K: Key> Key for Windowed<K> {
    fn encode(&self, buffer: &mut Vec<u8>) {
        self.key.encode(buffer);
        buffer.extend_from_slice(&self.window.start().as_millis().to_be_bytes());
    }

    fn decode(bytes: &[u8]) -> Result<Windowed<K>, CodecError> {
        let Some((key, start)) = bytes.split_last_chunk::<8>() else {
            return Err(CodecError(format!("windowed key of {} bytes is too short", bytes.len())));
        };
        Ok(Windowed::starting_at(K::decode(key)?, i64::from_be_bytes(*start)))
    }

    fn partitioned_by(encoded: &[u8]) -> &[u8] {
        K::partitioned_by(&encoded[..encoded.len().saturating_sub(8)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<K: Key + PartialEq + std::fmt::Debug>(key: K, bytes: &[u8]) {
        let mut encoded = Vec::new();
        key.encode(&mut encoded);
        assert_eq!(encoded, bytes);
        assert_eq!(K::decode(bytes).unwrap(), key);
    }

    #[test]
    fn encodes_as_kafkas_own_serializers() {
        check(String::from("N14228"), b"N14228");
        check(258_i64, &[0, 0, 0, 0, 0, 0, 1, 2]);
        check(-1_i32, &[255; 4]);
        check((), &[]);
        assert!(u64::decode(&[1]).is_err());
        assert!(String::decode(&[0xff]).is_err());
    }

    #[test]
    fn a_windowed_key_is_partitioned_by_its_inner_key() {
        let key = Windowed::starting_at(String::from("EWR"), 3_600_000);
        check(key, b"EWR\0\0\0\0\0\x36\xee\x80");
        assert_eq!(Windowed::<String>::partitioned_by(b"EWR\0\0\0\0\0\x36\xee\x80"), b"EWR");
    }
}
