//! A transform handles its first input; the second one is connected, but its handler was forgotten.

use headwater_core::{Cx, Failure, On, Setup, Topology, Transform, Value};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Order {
    cents: i64,
}

#[derive(Serialize, Deserialize)]
struct Payment {
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

impl On<Order> for CreditWatch {
    fn on(&mut self, order: &Order, cx: &mut Cx<'_, u64>) -> Result<(), Failure> {
        self.owed.update(cx, |owed| owed.unwrap_or(0) + order.cents)?;
        Ok(())
    }
}

fn topology(t: &mut Topology) {
    let payments = t.input::<u64, Payment>("payments");
    t.input::<u64, Order>("orders").transform::<CreditWatch>("credit-watch").and(&payments);
}

fn main() {}
