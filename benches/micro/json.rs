//! Reading and writing a record of 19 fields.

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use flights::Flight;
use headwater::{Codec, Json};

use crate::sample::flight;

fn encoded() -> Vec<u8> {
    let mut bytes = Vec::new();
    Json::encode(&flight(1), &mut bytes).expect("a flight is JSON");
    bytes
}

#[divan::bench(sample_size = 1_000)]
fn decode_flight(bencher: Bencher<'_, '_>) {
    let bytes = encoded();
    let bencher = bencher.counter(ItemsCount::new(1_usize)).counter(BytesCount::new(bytes.len()));
    bencher.bench(|| <Json as Codec<Flight>>::decode(divan::black_box(&bytes)));
}

#[divan::bench(sample_size = 1_000)]
fn encode_flight(bencher: Bencher<'_, '_>) {
    let flight = flight(1);
    let mut bytes = encoded();
    bencher.counter(ItemsCount::new(1_usize)).counter(BytesCount::new(bytes.len())).bench_local(|| {
        bytes.clear();
        Json::encode(divan::black_box(&flight), &mut bytes)
    });
}
