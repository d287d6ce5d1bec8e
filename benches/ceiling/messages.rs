//! The records and results without a copy of their texts; as JSON they are the same as `headwater_benches::model`'s.

use headwater_benches::model::Kind;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(crate) struct Event<'a> {
    pub(crate) id: u64,
    pub(crate) account: &'a str,
    pub(crate) amount: u64,
    pub(crate) ts: i64,
    pub(crate) memo: &'a str,
}

#[derive(Deserialize)]
pub(crate) struct Profile<'a> {
    pub(crate) tier: &'a str,
    pub(crate) region: u32,
}

#[derive(Serialize)]
pub(crate) struct Mapped<'a> {
    pub(crate) id: u64,
    pub(crate) account: &'a str,
    pub(crate) cents: u64,
    pub(crate) ts: i64,
    pub(crate) kind: Kind,
}

#[derive(Serialize)]
pub(crate) struct Total<'a> {
    pub(crate) account: &'a str,
    pub(crate) count: u64,
    pub(crate) sum: u64,
}

#[derive(Serialize)]
pub(crate) struct WindowTotal<'a> {
    pub(crate) account: &'a str,
    pub(crate) window: i64,
    pub(crate) count: u64,
    pub(crate) sum: u64,
}

#[derive(Serialize)]
pub(crate) struct Joined<'a> {
    pub(crate) id: u64,
    pub(crate) account: &'a str,
    pub(crate) amount: u64,
    pub(crate) ts: i64,
    pub(crate) tier: &'a str,
    pub(crate) region: u32,
}

#[derive(Serialize)]
pub(crate) struct Counted<'a> {
    pub(crate) memo: &'a str,
    pub(crate) count: u64,
}
