//! An application whose every task has three stores.

use std::process::ExitCode;

use headwater::prelude::*;

pub(crate) const NAME: &str = "memory-bench";
pub(crate) const INPUT: &str = "events";
pub(crate) const PARTITIONS: i32 = 64;
pub(crate) const STORES: [&str; 3] = ["first", "second", "third"];
pub(crate) const ADMIN_PORT: u16 = 18_473;

fn topology(t: &mut Topology) {
    let events = t.input::<String, String>(INPUT);
    for store in STORES {
        // Each keeps the newest value.
        events.fold(store, |state: &mut String, event: &String, _at| {
            state.clone_from(event);
            None::<()>
        });
    }
}

/// The application's own `main`.
pub(crate) fn main() -> ExitCode {
    headwater::main(NAME, topology)
}
