//! A map of state whose keys have no order that bytes could keep.

use headwater_core::{Map, Setup, Transform};

struct Prices {
    seen: Map<f64, u64>,
}

impl Transform for Prices {
    type Key = u64;
    fn setup(s: &mut Setup<Self>) -> Self {
        Prices { seen: s.map("seen") }
    }
}

fn main() {}
