//! What single steps cost, one file per step: `cargo bench --profile release -p headwater-benches`.
//!
//! - `partitioner`: the hash that places a key;
//! - `json`: reading and writing a record;
//! - `merge`: whole tasks with several inputs, whose records and event times are merged;
//! - `restore`: changes of a changelog into an empty store, in bulk and one batch after the other;
//! - `state`: reads and commits of a task's state, in memory, in RocksDB with everything in its cache, and with next to nothing in it;
//! - `task`: whole tasks, from the input topic to the committed output, on the log in memory: a step without state, a store, windows, a join, and a
//!   changelog that has many changes of a key in one.

mod json;
mod merge;
mod partitioner;
mod restore;
mod sample;
mod state;
mod task;

fn main() {
    divan::main();
}
