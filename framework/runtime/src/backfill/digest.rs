use headwater_core::bounded::RunRecord;
use headwater_core::port::Log;
use headwater_core::{Blueprint, TopicPartition};

use super::BackfillError;
use super::latest::{Filter, latest};
use super::scan::Scan;

/// What a run's results come to: two runs with the same results have the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResultDigest {
    /// Keys with a value.
    pub keys: u64,
    /// A sum over all of them, in whatever order and partitions they are.
    pub sum: u128,
}

/// Reads what a run wrote and digests the last value of each key within the range, by output.
pub fn digest(blueprint: &Blueprint, log: &dyn Log, record: &RunRecord) -> Result<ResultDigest, BackfillError> {
    let mut digest = ResultDigest::default();
    let (mut admin, mut scan) = (log.admin()?, Scan::of(log)?);
    for (topic, written) in &record.outputs {
        let (Some(written), Some(belongs)) = (written, blueprint.belongs(topic)) else { continue };
        let Some(info) = admin.describe(std::slice::from_ref(written))?.remove(written) else { continue };
        let filter = Filter { says: record.says, belongs };
        for partition in TopicPartition::all_of(written, info.partitions) {
            for (key, value) in latest(&mut scan, &[partition], filter)? {
                if let Some(value) = value {
                    digest.keys += 1;
                    digest.sum = digest.sum.wrapping_add(hash(&[topic.as_bytes(), &key, &value]));
                }
            }
        }
    }
    Ok(digest)
}

/// FNV-1a with 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hash(u128);

impl Default for Hash {
    fn default() -> Hash {
        Hash(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }
}

impl Hash {
    /// Adds a part with its length, so that none runs into the next.
    pub(super) fn take(&mut self, part: &[u8]) {
        for byte in (part.len() as u64).to_be_bytes().into_iter().chain(part.iter().copied()) {
            self.0 = (self.0 ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
}

fn hash(parts: &[&[u8]]) -> u128 {
    let mut hash = Hash::default();
    parts.iter().for_each(|part| hash.take(part));
    hash.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]));
        assert_ne!(hash(&[b"ab", b""]), hash(&[b"", b"ab"]));
        assert_eq!(hash(&[b"ab", b"c"]), hash(&[b"ab", b"c"]));
    }
}
