//! What single steps cost, one file per step: `cargo bench --profile release -p headwater-benches`.
//!
//! - `partitioner`: the hash that places a key;
//! - `json`: reading and writing a record;
//! - `restore`: changes of a changelog into an empty store, in bulk and one batch after the other;
//! - `state`: reads and commits of a task's state, in memory and in RocksDB with everything in its cache;
//! - `task`: whole tasks, from the input topic to the committed output, on the log in memory.

mod json;
mod partitioner;
mod restore;
mod sample;
mod state;
mod task;

fn main() {
    divan::main();
}
