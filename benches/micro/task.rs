//! Whole tasks: records are read from the input topic, decoded, folded into state, and outputs, changelog and offsets committed in
//! a transaction. The log in memory costs next to nothing, and wall time stands still, so a commit comes when the input is read to its
//! end or a buffer is full: what is measured is the engine's work per record.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use flights::{Flight, HourlyDelay};
use headwater::{Blueprint, Codec, Json, MemoryLog, Topology, Tumbling, hours};
use headwater_core::port::Log;
use headwater_testkit::{LocalProcess, prepare};
use tempfile::TempDir;

use crate::sample::{AIRCRAFT, Kept, departure, flight};

const RECORDS: usize = 20_000;

/// A process at rest with the records before it. Fields are dropped in order: the directory goes last.
struct Ready {
    process: LocalProcess,
    _directory: TempDir,
}

fn ready(topology: fn(&mut Topology), kept: Kept, key: impl Fn(usize, &Flight) -> String) -> Ready {
    let blueprint = Blueprint::of("bench", topology).expect("the topology is valid");
    let memory = MemoryLog::new();
    memory.create_topic("flights", 1);
    memory.create_topic("aircraft", 1);
    for number in 0..AIRCRAFT {
        let key = flight(number).key();
        memory.append("aircraft", 0, Some(key.as_bytes()), Some(b"180"), departure(0));
    }
    let plan = prepare(&blueprint, &memory).expect("the topics fit");
    let (stores, directory) = kept.stores();
    let log: Arc<dyn Log> = Arc::new(memory.clone());
    let mut process = LocalProcess::start(&plan, &log, &stores, "bench", 1).expect("the process starts");
    process.settle().expect("it joins its group");
    let mut value = Vec::new();
    for number in 0..RECORDS {
        let flight = flight(number);
        value.clear();
        Json::encode(&flight, &mut value).expect("a flight is JSON");
        memory.append("flights", 0, Some(key(number, &flight).as_bytes()), Some(&value), departure(number));
    }
    Ready { process, _directory: directory }
}

fn run(bencher: Bencher<'_, '_>, topology: fn(&mut Topology), kept: Kept, key: fn(&Flight) -> String) {
    run_keyed(bencher, topology, kept, |_, flight| key(flight));
}

/// The same with a key that goes by the record's number.
fn run_keyed(bencher: Bencher<'_, '_>, topology: fn(&mut Topology), kept: Kept, key: impl Fn(usize, &Flight) -> String) {
    bencher
        .counter(ItemsCount::new(RECORDS))
        .with_inputs(|| ready(topology, kept, &key))
        .bench_local_refs(|ready| ready.process.settle().expect("every record is processed"));
}

/// A record in, a record out: what everything else is added to.
#[divan::bench(sample_count = 15, sample_size = 1)]
fn map(bencher: Bencher<'_, '_>) {
    run(bencher, |t| t.input::<String, Flight>("flights").map(|flight| flight.distance).to("miles"), Kept::Memory, Flight::key);
}

/// A running total per aircraft: 4000 keys.
#[divan::bench(args = Kept::BOTH, sample_count = 15, sample_size = 1)]
fn reduce(bencher: Bencher<'_, '_>, kept: Kept) {
    let topology = |t: &mut Topology| {
        let flights = t.input::<String, Flight>("flights");
        let miles = flights.fold("miles", |miles: &mut i64, flight, _| {
            *miles += flight.distance;
            Some(*miles)
        });
        miles.to("miles-per-aircraft");
    };
    run(bencher, topology, kept, Flight::key);
}

/// The same with all records of few keys, or each of another: how much is saved where many changes of a key are one record of the changelog.
#[divan::bench(args = [1, 100, 20_000], sample_count = 15, sample_size = 1)]
fn coalesced(bencher: Bencher<'_, '_>, keys: usize) {
    let topology = |t: &mut Topology| {
        t.input::<String, Flight>("flights").fold("miles", |miles: &mut i64, flight, _| {
            *miles += flight.distance;
            None::<i64>
        });
    };
    run_keyed(bencher, topology, Kept::Memory, |number, _| format!("N{}", number % keys));
}

/// Each flight with its aircraft's row: 4000 of them.
#[divan::bench(args = Kept::BOTH, sample_count = 15, sample_size = 1)]
fn join(bencher: Bencher<'_, '_>, kept: Kept) {
    let topology = |t: &mut Topology| {
        let flights = t.input::<String, Flight>("flights");
        let aircraft = t.table::<String, i64>("aircraft");
        flights.join("with-aircraft", &aircraft, |flight, seats| flight.distance * seats).to("seat-miles");
    };
    run(bencher, topology, kept, Flight::key);
}

/// Updates of 4000 windows at a time, a few per key.
#[divan::bench(args = Kept::BOTH, sample_count = 15, sample_size = 1)]
fn window_update(bencher: Bencher<'_, '_>, kept: Kept) {
    let topology = |t: &mut Topology| {
        let flights = t.input::<String, Flight>("flights");
        let miles = flights.window(Tumbling::of(hours(1000))).fold("miles", |miles: &mut i64, flight, _| {
            *miles += flight.distance;
            Some(*miles)
        });
        miles.to("miles-per-window");
    };
    run(bencher, topology, kept, Flight::key);
}

/// An hour's totals per airport: 3 keys, 1000 windows that open and close.
#[divan::bench(args = Kept::BOTH, sample_count = 15, sample_size = 1)]
fn window(bencher: Bencher<'_, '_>, kept: Kept) {
    let topology = |t: &mut Topology| {
        let flights = t.input::<String, Flight>("flights");
        flights.window(Tumbling::of(hours(1))).reduce::<HourlyDelay>("hourly").to("flights.hourly");
    };
    run(bencher, topology, kept, |flight| flight.origin.clone());
}
