//! A topic is read with keys of a type that is no key.

use headwater_core::Topology;

fn topology(t: &mut Topology) {
    t.input::<f64, i64>("orders");
}

fn main() {}
