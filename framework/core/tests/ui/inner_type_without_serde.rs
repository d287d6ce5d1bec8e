//! An input of a collection whose elements cannot be read from JSON, because their derive was forgotten.

use headwater_core::Topology;

struct Line {
    cents: i64,
}

fn topology(t: &mut Topology) {
    t.input::<u64, Vec<Line>>("orders").map(|lines| lines.iter().map(|line| line.cents).sum::<i64>()).to("cents");
}

fn main() {}
