//! The reducer counts per country; the stream is still keyed by customer: a `rekey` is missing.

use headwater_core::{At, Reduce, Topology};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Order {
    country: String,
    cents: i64,
}

struct Sales;

impl Reduce for Sales {
    type Key = String;
    type Event = Order;
    type State = i64;
    type Out = i64;

    fn reduce(cents: &mut i64, order: &Order, _at: &At<'_, String>) -> Option<i64> {
        *cents += order.cents;
        Some(*cents)
    }
}

fn topology(t: &mut Topology) {
    t.input::<u64, Order>("orders").reduce::<Sales>("sales").to("sales");
}

fn main() {}
