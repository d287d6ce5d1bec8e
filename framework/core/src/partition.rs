//! Which partition a key belongs to: Java's murmur2, so that keys written by any Kafka client stay co-partitioned.
//!
//! Source of the rule: `BuiltInPartitioner.partitionForKey` and `Utils.murmur2` of Apache Kafka's clients.

const SEED: u32 = 0x9747_b28c;
const M: u32 = 0x5bd1_e995;
const R: u32 = 24;

/// Kafka's murmur2 of `data`, seed `0x9747b28c`, as the Java client computes it.
pub fn murmur2(data: &[u8]) -> i32 {
    let mut h = SEED ^ data.len() as u32;
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        k = (k ^ (k >> R)).wrapping_mul(M);
        h = h.wrapping_mul(M) ^ k;
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (i, byte) in rest.iter().enumerate() {
            h ^= u32::from(*byte) << (8 * i);
        }
        h = h.wrapping_mul(M);
    }
    h = (h ^ (h >> 13)).wrapping_mul(M);
    (h ^ (h >> 15)) as i32
}

/// The partition of `key` among `partitions`; a record without a key goes to partition `fallback`.
///
/// # Panics
/// When `partitions` is not positive: the caller has checked the topic exists.
pub fn partition_for(key: Option<&[u8]>, partitions: i32, fallback: i32) -> i32 {
    assert!(partitions > 0, "a topic has at least one partition");
    match key {
        Some(key) => (murmur2(key) & 0x7fff_ffff) % partitions,
        None => fallback.rem_euclid(partitions),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of Kafka's `UtilsTest.testMurmur2`.
    #[test]
    fn agrees_with_the_java_client() {
        for (data, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
            ("", 275_646_681),
        ] {
            assert_eq!(murmur2(data.as_bytes()), hash, "{data:?}");
        }
    }

    #[test]
    fn a_known_key_lands_where_java_puts_it() {
        assert_eq!(partition_for(Some(b"TT0124"), 15, 0), 10);
        assert_eq!(partition_for(None, 4, 6), 2);
    }
}
