//! The types of records and results, JSON all of them.

use serde::{Deserialize, Serialize};

/// A record of the input.
#[derive(Debug, Serialize, Deserialize)]
pub struct Event {
    /// Its number, from 0.
    pub id: u64,
    /// The account; the record's key too.
    pub account: String,
    /// 1 to 10,000.
    pub amount: u64,
    /// The record's timestamp.
    pub ts: i64,
    /// What is left of 100 bytes, in hexadecimal digits.
    pub memo: String,
}

/// A row of the table.
#[derive(Debug, Serialize, Deserialize)]
pub struct Profile {
    /// The account.
    pub account: String,
    /// One of four.
    pub tier: String,
    /// One of fifty.
    pub region: u32,
    /// Used by nobody.
    pub limit: u64,
}

/// Which amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Above 5,000.
    Large,
    /// The others.
    Small,
}

impl Kind {
    /// The kind of an amount.
    pub fn of(amount: u64) -> Kind {
        if amount > 5000 { Kind::Large } else { Kind::Small }
    }
}

/// What filter and map make of an event.
#[derive(Debug, Serialize, Deserialize)]
pub struct Mapped {
    /// The event's number.
    pub id: u64,
    /// Its account.
    pub account: String,
    /// Its amount, times 100.
    pub cents: u64,
    /// Its timestamp.
    pub ts: i64,
    /// Which amount it is.
    pub kind: Kind,
}

/// The state of a sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// Events so far.
    pub count: u64,
    /// Their amounts together.
    pub sum: u64,
}

impl Sum {
    /// With one more amount.
    #[must_use]
    pub fn plus(self, amount: u64) -> Sum {
        Sum { count: self.count + 1, sum: self.sum + amount }
    }

    /// As it is kept in a store: two numbers, big-endian.
    pub fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.count.to_be_bytes());
        bytes[8..].copy_from_slice(&self.sum.to_be_bytes());
        bytes
    }

    /// Reads it back; none if these are not its 16 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Sum> {
        let bytes: &[u8; 16] = bytes.try_into().ok()?;
        let (count, sum) = (bytes.first_chunk()?, bytes.last_chunk()?);
        Some(Sum { count: u64::from_be_bytes(*count), sum: u64::from_be_bytes(*sum) })
    }
}

/// An update of an account's sum.
#[derive(Debug, Serialize, Deserialize)]
pub struct Total {
    /// The account.
    pub account: String,
    /// Events so far.
    pub count: u64,
    /// Their amounts together.
    pub sum: u64,
}

/// An update of an account's sum in one window.
#[derive(Debug, Serialize, Deserialize)]
pub struct WindowTotal {
    /// The account.
    pub account: String,
    /// The window's start, in milliseconds since 1970.
    pub window: i64,
    /// Events so far.
    pub count: u64,
    /// Their amounts together.
    pub sum: u64,
}

/// An event with what the table has about its account.
#[derive(Debug, Serialize, Deserialize)]
pub struct Joined {
    /// The event's number.
    pub id: u64,
    /// Its account.
    pub account: String,
    /// Its amount.
    pub amount: u64,
    /// Its timestamp.
    pub ts: i64,
    /// The account's tier.
    pub tier: String,
    /// The account's region.
    pub region: u32,
}

/// An update of the count under another key.
#[derive(Debug, Serialize, Deserialize)]
pub struct Counted {
    /// The beginning of the events' memo.
    pub memo: String,
    /// Events so far.
    pub count: u64,
}
