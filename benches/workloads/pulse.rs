use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::Quantiles;

/// Steps of one try: some microseconds.
const STEPS: u64 = 2_000;
/// The shortest of so many tries counts, one after the other: a thread that has to wait for a core meanwhile is late with one of them, and a slow machine
/// with all.
const TRIES: usize = 4;
/// A look that took more than so many times the median met a slow machine. Two threads that share a core's units slow each other down by two at most.
const SLOW: f64 = 3.0;

/// How fast the machine itself is: a little arithmetic, again and again, and how long it takes. What contenders do does not make it longer; a virtual machine whose
/// host slows it down for some milliseconds does, and then everybody's latency is the host's.
#[derive(Default)]
pub struct Pulse(Vec<Duration>);

impl Pulse {
    /// Looks once.
    pub fn look(&mut self) {
        self.0.extend((0..TRIES).map(|_| arithmetic()).min());
    }

    /// At how many looks of a hundred the machine was slow.
    pub fn slow_percent(self) -> f64 {
        let looks = Quantiles::of(self.0);
        looks.share_above(looks.at(0.5) * SLOW) * 100.0
    }
}

fn arithmetic() -> Duration {
    let began = Instant::now();
    black_box((0..black_box(STEPS)).fold(1u64, |sum, step| sum.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(step)));
    began.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_that_took_more_than_three_times_the_median_are_slow() {
        let pulse = |micros: &[u64]| Pulse(micros.iter().copied().map(Duration::from_micros).collect()).slow_percent();
        assert_eq!(pulse(&[]), 0.0);
        assert_eq!(pulse(&[2, 2, 2, 6]), 0.0);
        assert_eq!(pulse(&[7, 2, 2, 2, 1, 2, 2, 40]), 25.0);
        let mut pulse = Pulse::default();
        pulse.look();
        assert!(!pulse.0[0].is_zero());
    }
}
