//! A task's state through the store port: what the engine asks of it for every record, and at every commit.

use bytes::Bytes;
use divan::Bencher;
use divan::counter::ItemsCount;
use headwater::adapters::{RocksStores, StoreOptions};
use headwater_core::port::{Change, Checkpoint, OpenStore, StateStores, Stores};
use tempfile::TempDir;

use crate::sample::{AIRCRAFT, Kept};

/// Changes per commit.
const BATCH: usize = 500;
const VALUE: [u8; 100] = [b'7'; 100];

fn key(number: usize) -> Bytes {
    Bytes::from(format!("N{}", 10_000 + number % AIRCRAFT))
}

fn batch(first: usize) -> Vec<Change> {
    (first..first + BATCH).map(|n| Change { store: 0, key: key(n * 13), value: Some(Bytes::from_static(&VALUE)) }).collect()
}

/// A task with a value for every aircraft, all of it flushed.
fn filled(stores: &dyn Stores) -> Box<dyn StateStores> {
    let mut task = stores.open("task", &[OpenStore { name: "totals".to_owned() }]).expect("the task is not open elsewhere");
    for first in (0..AIRCRAFT).step_by(BATCH) {
        task.apply(&batch(first), &[(0, Checkpoint::at(first as i64))]).expect("the store takes changes");
    }
    task.flush().expect("the store can be flushed");
    task
}

#[divan::bench(args = Kept::BOTH, sample_size = 2_000)]
fn get(bencher: Bencher<'_, '_>, kept: Kept) {
    let (stores, _directory) = kept.stores();
    let task = filled(&*stores);
    let keys: Vec<Bytes> = (0..AIRCRAFT).map(|n| key(n * 13)).collect();
    let mut next = 0;
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        next = (next + 1) % keys.len();
        task.get(0, &keys[next])
    });
}

#[divan::bench(args = Kept::BOTH, sample_size = 2_000)]
fn get_missing(bencher: Bencher<'_, '_>, kept: Kept) {
    let (stores, _directory) = kept.stores();
    let task = filled(&*stores);
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| task.get(0, divan::black_box(b"N14228-and-more")));
}

/// 500 changed keys and the offset, in one atomic write.
#[divan::bench(args = Kept::BOTH)]
fn put_500(bencher: Bencher<'_, '_>, kept: Kept) {
    let (stores, _directory) = kept.stores();
    let mut task = filled(&*stores);
    let (mut commit, mut offset) = (0, 0);
    bencher
        .counter(ItemsCount::new(BATCH))
        .with_inputs(|| {
            commit += 1;
            batch(commit * BATCH)
        })
        .bench_local_refs(|changes| {
            offset += 1;
            task.apply(changes, &[(0, Checkpoint::at(offset))])
        });
}

/// Keys of a store of some 25 MB.
const MANY: usize = 200_000;
/// Memory for cached blocks and for writes: a hundredth of that.
const SMALL: usize = 256 << 10;

/// RocksDB with hardly a block of its store in its cache. The files are in the system's, as there is no other load: this is what it costs
/// to find and unpack a block, not what a disk costs.
fn cold() -> (Box<dyn StateStores>, TempDir) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let options = StoreOptions { memory_bytes: SMALL, ..StoreOptions::default() };
    let stores = RocksStores::open(directory.path(), "bench", options).expect("an empty directory");
    let mut task = stores.open("task", &[OpenStore { name: "totals".to_owned() }]).expect("the task is not open elsewhere");
    let numbers: Vec<usize> = (0..MANY).collect();
    for chunk in numbers.chunks(10_000) {
        let changes: Vec<Change> = chunk.iter().map(|number| scattered_change(*number)).collect();
        task.load(&changes, 0, Checkpoint::at(chunk[0] as i64)).expect("the store takes changes");
    }
    task.end_load(0).and_then(|()| task.flush()).expect("the store can be flushed");
    (task, directory)
}

/// Neighbouring numbers have keys far from each other.
fn scattered(number: usize) -> Bytes {
    Bytes::copy_from_slice(format!("{:016x}", ((number % MANY) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)).as_bytes())
}

fn scattered_change(number: usize) -> Change {
    let mut value = VALUE.to_vec();
    // Not all alike, or it would compress to nothing.
    value[..16].copy_from_slice(format!("{:016x}", number.wrapping_mul(0x5851_f42d_4c95_7f2d)).as_bytes());
    Change { store: 0, key: scattered(number), value: Some(Bytes::from(value)) }
}

/// Keys in no order.
#[divan::bench(sample_size = 2_000)]
fn get_out_of_cache(bencher: Bencher<'_, '_>) {
    let (task, _directory) = cold();
    let mut next = 0;
    let bencher = bencher.counter(ItemsCount::new(1_usize)).with_inputs(|| {
        next += 7_919;
        scattered(next)
    });
    bencher.bench_local_refs(|key| task.get(0, key));
}

/// The same by 64 keys at a time, as a look ahead asks for them.
#[divan::bench(sample_size = 200)]
fn get_many_out_of_cache(bencher: Bencher<'_, '_>) {
    const KEYS: usize = 64;
    let (task, _directory) = cold();
    let mut next = 0;
    let bencher = bencher.counter(ItemsCount::new(KEYS)).with_inputs(|| {
        next += KEYS;
        (next..next + KEYS).map(|number| scattered(number * 7_919)).collect::<Vec<_>>()
    });
    bencher.bench_local_refs(|keys| task.get_many(0, &keys.iter().map(|key| &key[..]).collect::<Vec<_>>()));
}

/// 500 changed keys and the offset, in one atomic write; the flushes that they lead to are part of it.
#[divan::bench]
fn put_500_out_of_cache(bencher: Bencher<'_, '_>) {
    let (mut task, _directory) = cold();
    let (mut commit, mut offset) = (0, 0);
    let bencher = bencher.counter(ItemsCount::new(BATCH)).with_inputs(|| {
        commit += 1;
        (0..BATCH).map(|number| scattered_change((commit * BATCH + number) * 7_919)).collect::<Vec<_>>()
    });
    bencher.bench_local_refs(|changes| {
        offset += 1;
        task.apply(changes, &[(0, Checkpoint::at(offset))])
    });
}
