//! A stream keyed by customer number is joined with a table keyed by country.

use headwater_core::Topology;

fn topology(t: &mut Topology) {
    let orders = t.input::<u64, i64>("orders");
    let rates = t.table::<String, i64>("rates");
    orders.join("with-rate", &rates, |cents, rate| cents * rate).to("converted");
}

fn main() {}
