//! Keys: what records are partitioned by and state is kept under.

use bytes::Bytes;

use crate::codec::CodecError;
use crate::inspect::{hex, read_hex};
use crate::time::Timestamp;
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
    /// An encoded key as JSON text, for whoever looks into a store. Default: `{"hex":"..."}`.
    fn show(encoded: &[u8]) -> Result<String, CodecError> {
        Ok(hex(encoded))
    }
    /// The encoded key that a person means by this text: what [`show`](Key::show) writes, and text as it is for keys that are strings.
    fn read(text: &str) -> Result<Vec<u8>, CodecError> {
        read_hex(text)
    }
    /// The start of the window in the encoded key; none for keys without one.
    fn window_start(_encoded: &[u8]) -> Option<Timestamp> {
        None
    }
}

impl Key for String {
    fn encode(&self, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(self.as_bytes());
    }

    fn decode(bytes: &[u8]) -> Result<String, CodecError> {
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|e| CodecError(format!("key is not UTF-8: {e}")))
    }

    fn show(encoded: &[u8]) -> Result<String, CodecError> {
        <String as Key>::decode(encoded).map(|text| serde_json::Value::from(text).to_string())
    }

    fn read(text: &str) -> Result<Vec<u8>, CodecError> {
        Ok(text.as_bytes().to_vec())
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

    fn show(encoded: &[u8]) -> Result<String, CodecError> {
        <() as Key>::decode(encoded).map(|()| String::from("null"))
    }

    fn read(text: &str) -> Result<Vec<u8>, CodecError> {
        if text == "null" {
            Ok(Vec::new())
        } else {
            Err(CodecError(format!("expected null, the only key there is, found {text:?}")))
        }
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

            fn show(encoded: &[u8]) -> Result<String, CodecError> {
                <$int as Key>::decode(encoded).map(|key| key.to_string())
            }

            fn read(text: &str) -> Result<Vec<u8>, CodecError> {
                let key = text.trim().parse::<$int>();
                let wrong = |_| CodecError(format!("expected a number ({}), found {text:?}", stringify!($int)));
                key.map(|key| key.to_be_bytes().to_vec()).map_err(wrong)
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

    /// `{"key": ..., "window_start": milliseconds}`.
    fn show(encoded: &[u8]) -> Result<String, CodecError> {
        let Windowed { key, window } = Windowed::<K>::decode(encoded)?;
        let mut inner = Vec::new();
        key.encode(&mut inner);
        Ok(format!("{{\"key\":{},\"window_start\":{}}}", K::show(&inner)?, window.start().as_millis()))
    }

    fn read(text: &str) -> Result<Vec<u8>, CodecError> {
        let wrong = || CodecError(format!("expected {{\"key\": ..., \"window_start\": milliseconds}}, found {text:?}"));
        let json: serde_json::Value = serde_json::from_str(text).map_err(|_| wrong())?;
        let (key, start) = (json.get("key").ok_or_else(wrong)?, json.get("window_start"));
        let start = start.and_then(serde_json::Value::as_i64).ok_or_else(wrong)?;
        let mut encoded = K::read(&key.as_str().map_or_else(|| key.to_string(), str::to_owned))?;
        encoded.extend_from_slice(&start.to_be_bytes());
        Ok(encoded)
    }

    fn window_start(encoded: &[u8]) -> Option<Timestamp> {
        encoded.last_chunk::<8>().map(|start| Timestamp::from_millis(i64::from_be_bytes(*start)))
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
    fn what_is_shown_can_be_read() {
        fn check<K: Key>(key: K, shown: &str, read: &str) {
            let mut encoded = Vec::new();
            key.encode(&mut encoded);
            assert_eq!(K::show(&encoded).unwrap(), shown);
            assert_eq!(K::read(read).unwrap(), encoded);
        }
        check(String::from("a\tb"), r#""a\tb""#, "a\tb");
        check(-7_i64, "-7", "-7");
        check((), "null", "null");
        check(Bytes::from_static(&[1, 255]), r#"{"hex":"01ff"}"#, r#"{"hex":"01ff"}"#);
        let windowed = r#"{"key":"EWR","window_start":3600000}"#;
        check(Windowed::starting_at(String::from("EWR"), 3_600_000), windowed, windowed);
        assert!(<i32 as Key>::read("many").unwrap_err().to_string().contains("i32"));
        assert!(<Windowed<String> as Key>::read("EWR").is_err());
    }

    #[test]
    fn a_windowed_key_is_partitioned_by_its_inner_key() {
        let key = Windowed::starting_at(String::from("EWR"), 3_600_000);
        check(key, b"EWR\0\0\0\0\0\x36\xee\x80");
        assert_eq!(Windowed::<String>::partitioned_by(b"EWR\0\0\0\0\0\x36\xee\x80"), b"EWR");
        assert_eq!(Windowed::<String>::window_start(b"EWR\0\0\0\0\0\x36\xee\x80"), Some(Timestamp::from_millis(3_600_000)));
        assert_eq!(String::window_start(b"EWR\0\0\0\0\0\x36\xee\x80"), None);
    }
}
