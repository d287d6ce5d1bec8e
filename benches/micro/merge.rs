//! A task with several inputs: which record is next, by time, and how far event time is, which is the least of all of theirs.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use headwater::{Blueprint, MemoryLog, Topology};
use headwater_core::port::Log;
use headwater_testkit::{LocalProcess, prepare};
use tempfile::TempDir;

use crate::sample::{Kept, departure};

/// Of all inputs together.
const RECORDS: usize = 20_000;

fn topic(number: usize) -> String {
    format!("input-{number}")
}

fn topology(t: &mut Topology, inputs: usize) {
    let first = t.input::<String, u64>(&topic(0)).map(|value| value + 1);
    let others = (1..inputs).map(|number| t.input::<String, u64>(&topic(number)).map(|value| value + 1));
    others.fold(first, |merged, other| merged.merge(&other)).to("merged");
}

/// At rest, with records that take turns in time between the inputs.
fn ready(inputs: usize) -> (LocalProcess, TempDir) {
    let blueprint = Blueprint::of("bench", move |t: &mut Topology| topology(t, inputs)).expect("the topology is valid");
    let memory = MemoryLog::new();
    (0..inputs).for_each(|number| memory.create_topic(&topic(number), 1));
    let plan = prepare(&blueprint, &memory).expect("the topics fit");
    let (stores, directory) = Kept::Memory.stores();
    let log: Arc<dyn Log> = Arc::new(memory.clone());
    let mut process = LocalProcess::start(&plan, &log, &stores, "bench", 1).expect("the process starts");
    process.settle().expect("it joins its group");
    for number in 0..RECORDS {
        memory.append(&topic(number % inputs), 0, Some(b"key"), Some(b"7"), departure(number));
    }
    (process, directory)
}

/// As many records from one input, and from several.
#[divan::bench(args = [1, 2, 8], sample_count = 15, sample_size = 1)]
fn inputs(bencher: Bencher<'_, '_>, inputs: usize) {
    let bencher = bencher.counter(ItemsCount::new(RECORDS)).with_inputs(|| ready(inputs));
    bencher.bench_local_refs(|(process, _directory)| process.settle().expect("every record is processed"));
}
