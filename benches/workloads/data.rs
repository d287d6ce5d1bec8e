use std::io::Write;

/// The time of record 0: 2025-10-09T08:53:20Z. Record `i` comes `i` milliseconds later.
const BASE: i64 = 1_760_000_000_000;
/// Length of a value.
const BYTES: usize = 100;
/// Of a memo, that W7 counts by.
const FEWEST_DIGITS: usize = 4;
const MOST_DIGITS: usize = 7;
const TIERS: [&str; 4] = ["bronze", "silver", "gold", "platinum"];

/// The records of the input topic. Each is a function of these numbers and its own, so whoever checks a result computes it again.
#[derive(Clone, Copy, Debug)]
pub struct Data {
    /// How many records.
    pub records: u64,
    /// How many accounts there are; they are the keys.
    pub keys: u64,
    /// 0: all accounts are as frequent. Above: the `n`th account's share goes with `n` to the power of minus this, as in Zipf's law.
    pub skew: f64,
}

/// SplitMix64's finaliser: a good hash of a small number.
fn mix(number: u64) -> u64 {
    let z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Data {
    /// The account of record `i`, from 0.
    pub fn account(&self, i: u64) -> u64 {
        let dice = mix(42 + 3 * i) >> 1;
        if self.skew <= 0.0 {
            return dice % self.keys;
        }
        // The inverse of the distribution function, as if ranks were continuous.
        let uniform = (dice >> 10) as f64 / (1_u64 << 53) as f64;
        let most = self.keys as f64 + 1.0;
        let rank = if (self.skew - 1.0).abs() < 1e-9 {
            most.powf(uniform)
        } else {
            let power = 1.0 - self.skew;
            ((most.powf(power) - 1.0) * uniform + 1.0).powf(1.0 / power)
        };
        (rank as u64).clamp(1, self.keys) - 1
    }

    /// How many digits of a memo W7 counts by: with as many as that there are about as many groups as accounts, 65,536 of 100,000 and 16,777,216 of
    /// 10,000,000.
    pub fn memo_digits(&self) -> usize {
        (FEWEST_DIGITS..MOST_DIGITS).find(|digits| 16_u64.pow(*digits as u32) >= self.keys / 2).unwrap_or(MOST_DIGITS)
    }

    /// The first digits of record `i`'s memo: what W7 counts by.
    pub fn memo(&self, i: u64) -> String {
        let dice = mix(!i);
        (0..self.memo_digits()).map(|n| digit(dice, n)).map(char::from).collect()
    }

    /// The amount of record `i`, 1 to 10,000.
    pub fn amount(&self, i: u64) -> u64 {
        1 + (mix(43 + 3 * i) >> 1) % 10_000
    }

    /// The time of record `i` in milliseconds since 1970: one in twenty is up to 10 s late.
    pub fn timestamp(&self, i: u64) -> i64 {
        let dice = mix(44 + 3 * i);
        let late = if (dice >> 1).is_multiple_of(20) { 1 + ((dice >> 32) % 10_000) as i64 } else { 0 };
        BASE + i as i64 - late
    }

    /// The value of record `i` as JSON: 100 bytes, unless numbers are very long.
    pub fn write_value(&self, i: u64, key: &str, value: &mut Vec<u8>) {
        value.clear();
        let (amount, ts) = (self.amount(i), self.timestamp(i));
        // Writing to memory cannot fail.
        let _ = write!(value, "{{\"id\":{i},\"account\":\"{key}\",\"amount\":{amount},\"ts\":{ts},\"memo\":\"");
        let dice = mix(!i);
        let digits = BYTES.saturating_sub(value.len() + 2).max(MOST_DIGITS);
        value.extend((0..digits).map(|n| digit(dice, n)));
        value.extend_from_slice(b"\"}");
    }
}

/// The key of an account, `acc-00000123`.
pub fn key_of(account: u64) -> String {
    format!("acc-{account:08}")
}

fn digit(dice: u64, n: usize) -> u8 {
    b"0123456789abcdef"[(dice >> (4 * (n & 15)) & 15) as usize]
}

/// The account's tier in the table.
pub fn tier_of(account: u64) -> &'static str {
    TIERS[((mix(account + 77) >> 1) % 4) as usize]
}

/// The account's region in the table.
pub fn region_of(account: u64) -> u32 {
    ((mix(account + 99) >> 1) % 50) as u32
}

/// The account's row in the table, and its time: before all records.
pub fn row_of(account: u64) -> (String, i64) {
    let (key, tier, region, limit) = (key_of(account), tier_of(account), region_of(account), 1000 + account % 9000);
    let row = format!("{{\"account\":\"{key}\",\"tier\":\"{tier}\",\"region\":{region},\"limit\":{limit}}}");
    (row, BASE - 100_000_000 + account as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Event;

    #[test]
    fn a_value_says_what_the_record_is() {
        let data = Data { records: 10, keys: 100, skew: 0.0 };
        let mut value = Vec::new();
        for i in [0, 7, 12_345_678] {
            let key = key_of(data.account(i));
            data.write_value(i, &key, &mut value);
            let event: Event = serde_json::from_slice(&value).expect("it is JSON");
            assert_eq!((event.id, event.account, event.amount, event.ts), (i, key, data.amount(i), data.timestamp(i)));
            assert_eq!((value.len(), event.memo[..4].to_owned()), (100, data.memo(i)));
        }
    }

    #[test]
    fn there_are_about_as_many_memos_as_accounts() {
        for (keys, digits) in [(1, 4), (100_000, 4), (1_000_000, 5), (10_000_000, 6), (100_000_000, 7)] {
            let data = Data { records: 0, keys, skew: 0.0 };
            assert_eq!((data.memo_digits(), data.memo(7).len()), (digits, digits), "{keys}");
        }
    }

    #[test]
    fn skewed_accounts_follow_zipfs_law() {
        for skew in [0.8, 1.0, 1.2] {
            let data = Data { records: 0, keys: 1000, skew };
            let mut counts = [0_u32; 1000];
            (0..100_000).for_each(|i| counts[data.account(i) as usize] += 1);
            assert!(counts[0] > 3 * counts[9] && counts[9] > 3 * counts[99], "{skew}: {:?}", &counts[..100]);
        }
    }

    #[test]
    fn accounts_without_skew_are_all_as_frequent() {
        let data = Data { records: 0, keys: 10, skew: 0.0 };
        let mut counts = [0_u32; 10];
        (0..10_000).for_each(|i| counts[data.account(i) as usize] += 1);
        assert!(counts.iter().all(|count| (900..1100).contains(count)), "{counts:?}");
    }
}
