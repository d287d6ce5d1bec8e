//! How values become bytes. [`Json`] is the default everywhere; a codec of your own is a type that implements [`Codec`].

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::inspect::hex;

/// Turns values of type `T` into bytes and back. A codec is a name, not a value: it has no state, so that every task,
/// every worker and every replay reads the same bytes the same way.
#[diagnostic::on_unimplemented(
    message = "the codec `{Self}` cannot carry values of type `{T}`",
    label = "no way to turn `{T}` into bytes and back",
    note = "for the default codec `Json`, add `#[derive(serde::Serialize, serde::Deserialize)]` to `{T}`, or to the type inside it that has none; otherwise implement `Codec<{T}>` for a codec of your own"
)]
pub trait Codec<T>: 'static {
    /// Appends the bytes of `value` to `buffer`.
    fn encode(value: &T, buffer: &mut Vec<u8>) -> Result<(), CodecError>;
    /// Reads a value from exactly these bytes.
    fn decode(bytes: &[u8]) -> Result<T, CodecError>;
    /// These bytes as JSON text, for whoever looks into a store. Default: `{"hex":"..."}`, once they can be decoded.
    fn show(bytes: &[u8]) -> Result<String, CodecError> {
        Self::decode(bytes).map(|_| hex(bytes))
    }
}

/// Why bytes could not be read or written.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct CodecError(pub String);

/// JSON by serde: the default codec of inputs, outputs and state.
#[derive(Debug, Clone, Copy)]
pub struct Json;

// Without this the compiler would name what serde wants, twice, and list serde's own types, instead of what `Codec` says above.
#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Codec<T> for Json {
    fn encode(value: &T, buffer: &mut Vec<u8>) -> Result<(), CodecError> {
        serde_json::to_writer(buffer, value).map_err(|e| CodecError(format!("cannot be written as JSON: {e}")))
    }

    fn decode(bytes: &[u8]) -> Result<T, CodecError> {
        // Looking whether all of it is UTF-8 is quicker than looking at each string. What is not may still do: in strings that nobody reads.
        let value = match std::str::from_utf8(bytes) {
            Ok(text) => serde_json::from_str(text),
            Err(_) => serde_json::from_slice(bytes),
        };
        value.map_err(|e| CodecError(format!("not the expected JSON: {e}")))
    }

    fn show(bytes: &[u8]) -> Result<String, CodecError> {
        let _fits_the_type: T = Self::decode(bytes)?;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }
}

/// The bytes as they are.
#[derive(Debug, Clone, Copy)]
pub struct Raw;

impl Codec<Bytes> for Raw {
    fn encode(value: &Bytes, buffer: &mut Vec<u8>) -> Result<(), CodecError> {
        buffer.extend_from_slice(value);
        Ok(())
    }

    fn decode(bytes: &[u8]) -> Result<Bytes, CodecError> {
        Ok(Bytes::copy_from_slice(bytes))
    }
}

/// Text as its UTF-8 bytes, without JSON's quotes.
#[derive(Debug, Clone, Copy)]
pub struct Text;

impl Codec<String> for Text {
    fn encode(value: &String, buffer: &mut Vec<u8>) -> Result<(), CodecError> {
        buffer.extend_from_slice(value.as_bytes());
        Ok(())
    }

    fn decode(bytes: &[u8]) -> Result<String, CodecError> {
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|e| CodecError(format!("not UTF-8: {e}")))
    }

    fn show(bytes: &[u8]) -> Result<String, CodecError> {
        Self::decode(bytes).map(|text| serde_json::Value::from(text).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Named {
        name: String,
    }

    fn name_in(bytes: &[u8]) -> Result<String, CodecError> {
        <Json as Codec<Named>>::decode(bytes).map(|named| named.name)
    }

    #[test]
    fn json_that_is_not_utf8_is_refused_only_where_it_is_read() {
        assert_eq!(name_in("{\"name\":\"z\u{fc}\"}".as_bytes()).unwrap(), "z\u{fc}");
        assert_eq!(name_in(b"{\"other\":\"\xff\",\"name\":\"a\"}").unwrap(), "a");
        let error = name_in(b"{\"name\":\"\xff\"}").unwrap_err().to_string();
        assert!(error.starts_with("not the expected JSON: invalid unicode code point at line 1"), "{error}");
    }
}
