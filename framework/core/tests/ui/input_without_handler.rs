//! A transform is given a stream it has no handler for.

use headwater_core::{Setup, Topology, Transform, Value};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Order {
    cents: i64,
}

struct CreditWatch {
    owed: Value<i64>,
}

impl Transform for CreditWatch {
    type Key = u64;
    fn setup(s: &mut Setup<Self>) -> Self {
        CreditWatch { owed: s.value("owed") }
    }
}

fn topology(t: &mut Topology) {
    t.input::<u64, Order>("orders").transform::<CreditWatch>("credit-watch");
}

fn main() {}
