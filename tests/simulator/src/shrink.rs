//! The least that still fails: fewer kinds of faults, fewer faults, fewer acts.

use crate::fault::Fault;
use crate::mutation::Mutation;
use crate::seed::{Limits, Outcome, simulate};

/// A failing seed with as little around it as was found.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// What may still happen.
    pub limits: Limits,
    /// The failure, with its trace.
    pub outcome: Outcome,
}

/// Takes away what the failure does not need. It may turn into a failure of another kind; what is left is one all the same.
pub fn shrink(seed: u64, limits: &Limits, mutation: Option<Mutation>) -> Shrunk {
    let fails = |limits: &Limits| simulate(seed, limits, mutation, false).failure.is_some();
    let mut least = limits.clone();
    for fault in Fault::ALL {
        let mut fewer = least.clone();
        fewer.without.push(*fault);
        if !least.without.contains(fault) && fails(&fewer) {
            least = fewer;
        }
    }
    let happened = simulate(seed, &least, mutation, false);
    let faults = Fault::ALL.iter().map(|fault| happened.faults(*fault)).sum();
    least.faults = smallest(faults, |faults| fails(&Limits { faults, ..least.clone() }));
    // More acts than any seed draws.
    least.acts = smallest(512, |acts| fails(&Limits { acts, ..least.clone() }));
    let outcome = simulate(seed, &least, mutation, true);
    Shrunk { limits: least, outcome }
}

/// A number from 0 to `from` that fails, small if failing is monotone; `from` fails.
fn smallest(from: u64, fails: impl Fn(u64) -> bool) -> u64 {
    let (mut passes, mut known) = (0, from);
    if fails(0) {
        return 0;
    }
    while passes + 1 < known {
        let middle = passes.midpoint(known);
        if fails(middle) {
            known = middle;
        } else {
            passes = middle;
        }
    }
    known
}

impl Limits {
    /// As variables of `make simulate`.
    pub fn variables(&self) -> String {
        let mut text = String::new();
        if !self.without.is_empty() {
            let names: Vec<&str> = self.without.iter().map(|fault| fault.name()).collect();
            text.push_str(&format!(" WITHOUT={}", names.join(",")));
        }
        for (name, value) in [("FAULTS", self.faults), ("ACTS", self.acts)] {
            if value != u64::MAX {
                text.push_str(&format!(" {name}={value}"));
            }
        }
        text
    }
}
