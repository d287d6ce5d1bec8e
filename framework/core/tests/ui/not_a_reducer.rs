//! The type given to `reduce` does not implement `Reduce`.

use headwater_core::Topology;

struct Sales;

fn topology(t: &mut Topology) {
    t.input::<u64, i64>("orders").reduce::<Sales>("sales").to("sales");
}

fn main() {}
