//! Reading and writing a record of 19 fields, and reading one of 100 bytes as the macro bench has it.

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use flights::Flight;
use headwater::{Codec, Json};
use headwater_benches::model::Event;
use headwater_benches::{Data, key_of};

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

#[divan::bench(sample_size = 1_000)]
fn decode_event(bencher: Bencher<'_, '_>) {
    let data = Data { records: 1, keys: 100_000, skew: 0.0 };
    let mut bytes = Vec::new();
    data.write_value(0, &key_of(data.account(0)), &mut bytes);
    let bencher = bencher.counter(ItemsCount::new(1_usize)).counter(BytesCount::new(bytes.len()));
    bencher.bench(|| <Json as Codec<Event>>::decode(divan::black_box(&bytes)));
}
