//! A task's state through the store port: what the engine asks of it for every record, and at every commit.

use bytes::Bytes;
use divan::Bencher;
use divan::counter::ItemsCount;
use headwater_core::port::{Change, Checkpoint, OpenStore, StateStores};

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
fn filled(stores: &dyn headwater_core::port::Stores) -> Box<dyn StateStores> {
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
