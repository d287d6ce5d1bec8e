//! The type given to `transform` implements neither `Transform` nor a handler.

use headwater_core::Topology;

struct CreditWatch;

fn topology(t: &mut Topology) {
    t.input::<u64, i64>("orders").transform::<CreditWatch>("credit-watch");
}

fn main() {}
