//! A fold keeps a state that cannot be turned into JSON, because its derive was forgotten.

use headwater_core::Topology;

#[derive(Default)]
struct Totals {
    cents: i64,
}

fn topology(t: &mut Topology) {
    let orders = t.input::<u64, i64>("orders");
    orders.fold("totals", |totals: &mut Totals, cents, _at| {
        totals.cents += cents;
        Some(totals.cents)
    });
}

fn main() {}
