use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::path::Path;

use headwater_core::port::StoreError;

use super::{read_if_there, whole_file};
use crate::error;

/// The id of this directory: made once, then always the same, so that a process that returns to its directory fences the
/// transactions its predecessor left open.
pub(super) fn read_or_create(directory: &Path) -> Result<String, StoreError> {
    let path = directory.join("instance");
    match read_if_there(&path)? {
        Some(text) => {
            let id = text.trim_end();
            if is_uuid(id) {
                return Ok(id.to_owned());
            }
            Err(error::foreign(&path, format!("found {text:?}, expected a UUID; remove the file to have a new one made")))
        }
        None => {
            let id = uuid(random());
            whole_file::write(&path, &format!("{id}\n"))?;
            Ok(id)
        }
    }
}

/// 16 random bytes: the system's, else the standard library's hash seeds, which the system also drew.
fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    if read.is_err() {
        for half in bytes.chunks_exact_mut(8) {
            half.copy_from_slice(&RandomState::new().hash_one(std::process::id()).to_ne_bytes());
        }
    }
    bytes
}

/// Writes a version 4 UUID.
fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = format!("{:032x}", u128::from_be_bytes(bytes));
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_and_differ() {
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert!(is_uuid(&uuid(random())));
        assert_ne!(random(), random());
        assert!(!is_uuid("") && !is_uuid("ffffffff+ffff-4fff-bfff-ffffffffffff"));
    }
}
