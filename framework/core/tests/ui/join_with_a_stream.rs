//! A stream is joined with a topic that was read as a stream, not as a table.

use headwater_core::Topology;

fn topology(t: &mut Topology) {
    let orders = t.input::<u64, i64>("orders");
    let rates = t.input::<u64, i64>("rates");
    orders.join("with-rate", &rates, |cents, rate| cents * rate).to("converted");
}

fn main() {}
