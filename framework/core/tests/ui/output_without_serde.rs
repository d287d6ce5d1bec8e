//! A topic is written with events that cannot be turned into JSON, because their derive was forgotten.

use headwater_core::Topology;

struct Alert {
    cents: i64,
}

fn topology(t: &mut Topology) {
    t.input::<u64, i64>("orders").map(|cents| Alert { cents: *cents }).to("alerts");
}

fn main() {}
