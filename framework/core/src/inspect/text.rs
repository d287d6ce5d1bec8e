//! Bytes that no type explains, as `{"hex":"0aff"}`.

use crate::codec::CodecError;

/// Bytes as JSON.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{{\"hex\":\"{digits}\"}}")
}

/// The bytes of what [`hex`] wrote.
pub(crate) fn read_hex(text: &str) -> Result<Vec<u8>, CodecError> {
    let wrong = || CodecError(format!("{text}: expected the key's bytes as JSON, such as {{\"hex\":\"0aff\"}}"));
    let json: serde_json::Value = serde_json::from_str(text).map_err(|_| wrong())?;
    let digits = json.get("hex").and_then(serde_json::Value::as_str).ok_or_else(wrong)?;
    if !digits.len().is_multiple_of(2) || !digits.is_ascii() {
        return Err(wrong());
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| wrong())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_back() {
        assert_eq!(hex(&[10, 255]), r#"{"hex":"0aff"}"#);
        assert_eq!(read_hex(&hex(&[0, 1, 254])).unwrap(), [0, 1, 254]);
        for wrong in ["", "0aff", r#"{"hex":"0"}"#, r#"{"hex":"zz"}"#, r#"{"hex":"éa"}"#, "[]"] {
            assert!(read_hex(wrong).is_err(), "{wrong}");
        }
    }
}
