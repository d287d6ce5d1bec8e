use headwater_core::{Codec, CodecError};

use crate::model::Sum;

/// Headwater's codec of state: as few bytes as the other contenders keep it in, written by hand as theirs is.
pub struct Binary;

impl Codec<Sum> for Binary {
    fn encode(sum: &Sum, buffer: &mut Vec<u8>) -> Result<(), CodecError> {
        buffer.extend_from_slice(&sum.to_bytes());
        Ok(())
    }

    fn decode(bytes: &[u8]) -> Result<Sum, CodecError> {
        Sum::from_bytes(bytes).ok_or_else(|| CodecError(format!("a sum has 16 bytes, not {}", bytes.len())))
    }
}

impl Codec<u64> for Binary {
    fn encode(count: &u64, buffer: &mut Vec<u8>) -> Result<(), CodecError> {
        buffer.extend_from_slice(&count.to_be_bytes());
        Ok(())
    }

    fn decode(bytes: &[u8]) -> Result<u64, CodecError> {
        let bytes = bytes.try_into().map_err(|_| CodecError(format!("a count has 8 bytes, not {}", bytes.len())))?;
        Ok(u64::from_be_bytes(bytes))
    }
}
