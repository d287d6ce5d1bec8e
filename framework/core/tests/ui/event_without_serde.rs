//! An input of a type that cannot be read from JSON, because its derive was forgotten.

use headwater_core::Topology;

struct Order {
    cents: i64,
}

fn topology(t: &mut Topology) {
    t.input::<u64, Order>("orders").map(|order| order.cents).to("cents");
}

fn main() {}
