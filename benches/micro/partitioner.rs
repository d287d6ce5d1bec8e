//! The hash that places a key, as Java's clients compute it.

use divan::Bencher;
use divan::counter::BytesCount;
use headwater::murmur2;

/// A tail number, a UUID, and a long key.
#[divan::bench(args = [6, 36, 256], sample_size = 10_000)]
fn murmur2_of(bencher: Bencher<'_, '_>, bytes: usize) {
    let key = vec![b'N'; bytes];
    bencher.counter(BytesCount::new(bytes)).bench(|| murmur2(divan::black_box(&key)));
}
