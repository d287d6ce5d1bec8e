//! One seed, from what it draws to its verdict.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Once;

use crate::control::{Tally, Violation};
use crate::fault::Fault;
use crate::mutation::Mutation;
use crate::stage;
use crate::trace;
use crate::world::World;

/// Bounds on what may happen, for finding the least that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most faults; after them none.
    pub faults: u64,
    /// Most acts.
    pub acts: u64,
    /// Faults that do not happen.
    pub without: Vec<Fault>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { faults: u64::MAX, acts: u64::MAX, without: Vec::new() }
    }
}

/// What a seed came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// What it drew, in words.
    pub setup: String,
    pub(crate) tally: Tally,
    /// What was wrong.
    pub failure: Option<Failure>,
    /// One line per event, under a heading; empty unless asked for.
    pub trace: Vec<String>,
}

/// Something that must not happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its name: `stall`, `output`, `two owners`...
    pub kind: &'static str,
    /// What was found.
    pub text: String,
}

impl Outcome {
    /// How often this kind of fault happened.
    pub fn faults(&self, fault: Fault) -> u64 {
        self.tally.faults[fault as usize]
    }
}

thread_local! {
    /// The text of a panic on this thread while a seed runs; none while none runs.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs a seed. The same arguments give the same outcome.
pub fn simulate(seed: u64, limits: &Limits, mutation: Option<Mutation>, with_trace: bool) -> Outcome {
    keep_panics_quiet();
    let world = Rc::new(World::new(seed, limits, mutation, with_trace));
    PANIC.with(|panic| *panic.borrow_mut() = Some(String::new()));
    let result = catch_unwind(AssertUnwindSafe(|| stage::enter(&world, || world.play())));
    let panic = PANIC.with(|panic| panic.borrow_mut().take()).unwrap_or_default();
    if result.is_err() {
        world.control.lock().violate("panic", panic);
    }
    let mut control = world.control.lock();
    let lines = control.trace.take().unwrap_or_default();
    let trace = if with_trace { std::iter::once(trace::heading()).chain(lines).collect() } else { Vec::new() };
    let failure = control.violation.take().map(|Violation { kind, text }| Failure { kind, text });
    let tally = std::mem::take(&mut control.tally);
    Outcome { seed, setup: world.setup.to_string(), tally, failure, trace }
}

/// A panic during a seed is a finding, told with the seed; elsewhere it is printed as always.
fn keep_panics_quiet() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let noted = PANIC.with(|panic| {
                let mut panic = panic.borrow_mut();
                panic.as_mut().map(|text| *text = info.to_string()).is_some()
            });
            if !noted {
                usual(info);
            }
        }));
    });
}
