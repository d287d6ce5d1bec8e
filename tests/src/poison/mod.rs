//! An application whose input says how each record fails: for proving what becomes of records that do.

mod orders;
mod outcome;

use headwater::{Policy, Timestamp, Topology, days};
use serde::{Deserialize, Serialize};

pub use orders::{Orders, Sent, write};
pub use outcome::{Outcome, expected, seen};

/// The application's name.
pub const NAME: &str = "poison";
/// Its input.
pub const ORDERS: &str = "orders";
/// An output by customer.
pub const TOTALS: &str = "totals";
/// An output by group, behind a rekey.
pub const GROUPS: &str = "groups";
/// An output that gets only what cannot be written.
pub const TEXTS: &str = "texts";

/// How a record fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// It does not.
    Fine,
    /// It is no JSON.
    Undecodable,
    /// The code panics on it after it has changed its state.
    Panic,
    /// The same, behind the rekey.
    PanicBehind,
    /// An output of it is larger than its topic takes.
    Large,
    /// It is dated years ahead.
    Future,
    /// It is dated some hours ahead, which the input allows and the broker does not take in an output.
    Refused,
}

/// A record of the input, under its customer's name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// How it fails.
    pub kind: Kind,
    /// The key behind the rekey.
    pub group: String,
    /// What it adds.
    pub amount: u64,
    /// When it was, in milliseconds since 1970.
    pub at: i64,
}

/// How many, and what they add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// Counts from 1: read committed, every number comes once.
    pub seq: u64,
    /// The sum.
    pub sum: u64,
}

/// Describes the application.
pub fn topology(t: &mut Topology) {
    let orders = t.input::<String, Order>(ORDERS).max_future(days(1)).on_error(Policy::DeadLetter);
    let orders = orders.timestamp(|order, _| Timestamp::from_millis(order.at));
    orders.fold("customers", |total, order, _| add(total, order, Kind::Panic)).to(TOTALS);
    orders.filter(|order| order.kind == Kind::Large).map(|_| "x".repeat(2 << 20)).to(TEXTS);
    let groups = orders.rekey("by-group", |order| order.group.clone());
    groups.fold("groups", |total, order, _| add(total, order, Kind::PanicBehind)).to(GROUPS);
}

fn add(total: &mut Total, order: &Order, fatal: Kind) -> Option<Total> {
    total.seq += 1;
    total.sum += order.amount;
    assert!(order.kind != fatal, "an order of {} that panics", order.amount);
    Some(*total)
}
