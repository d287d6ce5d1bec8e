//! The reducer folds payments; the stream carries orders.

use headwater_core::{At, Reduce, Topology};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Order {
    cents: i64,
}

#[derive(Serialize, Deserialize)]
struct Payment {
    cents: i64,
}

struct Paid;

impl Reduce for Paid {
    type Key = u64;
    type Event = Payment;
    type State = i64;
    type Out = i64;

    fn reduce(paid: &mut i64, payment: &Payment, _at: &At<'_, u64>) -> Option<i64> {
        *paid += payment.cents;
        Some(*paid)
    }
}

fn topology(t: &mut Topology) {
    t.input::<u64, Order>("orders").reduce::<Paid>("paid").to("paid");
}

fn main() {}
