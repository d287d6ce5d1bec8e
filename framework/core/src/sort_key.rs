//! Keys inside a [`Map`](crate::Map): their bytes sort as the values do.

use crate::codec::CodecError;
use crate::inspect::hex;
use crate::time::Timestamp;

/// A key whose encoded bytes compare as the values compare, so that ranges over stored entries come in order.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key inside a `Map`",
    label = "its bytes would not sort as its values do",
    note = "keys inside a `Map` are `String`, `i32`, `i64`, `u32`, `u64`, `Timestamp`, `()` or a type of your own that implements `headwater::SortKey`"
)]
pub trait SortKey: Sized + 'static {
    /// Appends bytes that sort like the value.
    fn encode(&self, buffer: &mut Vec<u8>);
    /// Reads a value from exactly these bytes.
    fn decode(bytes: &[u8]) -> Result<Self, CodecError>;
    /// An encoded key as JSON text, for whoever looks into a store. Default: `{"hex":"..."}`.
    fn show(encoded: &[u8]) -> Result<String, CodecError> {
        Ok(hex(encoded))
    }
}

impl SortKey for () {
    fn encode(&self, _buffer: &mut Vec<u8>) {}

    fn decode(_bytes: &[u8]) -> Result<(), CodecError> {
        Ok(())
    }

    fn show(_encoded: &[u8]) -> Result<String, CodecError> {
        Ok(String::from("null"))
    }
}

impl SortKey for String {
    fn encode(&self, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(self.as_bytes());
    }

    fn decode(bytes: &[u8]) -> Result<String, CodecError> {
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|e| CodecError(format!("map key is not UTF-8: {e}")))
    }

    fn show(encoded: &[u8]) -> Result<String, CodecError> {
        <String as SortKey>::decode(encoded).map(|text| serde_json::Value::from(text).to_string())
    }
}

macro_rules! sort_key {
    ($($int:ty => $flip:expr),*) => {$(
        impl SortKey for $int {
            fn encode(&self, buffer: &mut Vec<u8>) {
                buffer.extend_from_slice(&(*self ^ $flip).to_be_bytes());
            }

            fn decode(bytes: &[u8]) -> Result<$int, CodecError> {
                let bytes = bytes.try_into().map_err(|_| CodecError(format!("map key of {} bytes is no {}", bytes.len(), stringify!($int))))?;
                Ok(<$int>::from_be_bytes(bytes) ^ $flip)
            }

            fn show(encoded: &[u8]) -> Result<String, CodecError> {
                <$int as SortKey>::decode(encoded).map(|key| key.to_string())
            }
        }
    )*};
}

// Two's complement sorts negatives last; flipping the sign bit puts them first.
sort_key!(u32 => 0, u64 => 0, i32 => i32::MIN, i64 => i64::MIN);

impl SortKey for Timestamp {
    fn encode(&self, buffer: &mut Vec<u8>) {
        self.as_millis().encode(buffer);
    }

    fn decode(bytes: &[u8]) -> Result<Timestamp, CodecError> {
        i64::decode(bytes).map(Timestamp::from_millis)
    }

    fn show(encoded: &[u8]) -> Result<String, CodecError> {
        <i64 as SortKey>::show(encoded)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(key: impl SortKey) -> Vec<u8> {
        let mut buffer = Vec::new();
        key.encode(&mut buffer);
        buffer
    }

    proptest! {
        #[test]
        fn bytes_sort_as_values(a: i64, b: i64, c: i32, d: i32) {
            prop_assert_eq!(a.cmp(&b), bytes(a).cmp(&bytes(b)));
            prop_assert_eq!(c.cmp(&d), bytes(c).cmp(&bytes(d)));
            prop_assert_eq!(i64::decode(&bytes(a)).unwrap(), a);
        }
    }
}
