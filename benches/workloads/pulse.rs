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
pub struct Pulse(Vec<Look>);

#[derive(Clone, Copy)]
struct Look {
    ended: Instant,
    took: Duration,
}

impl Pulse {
    /// Looks once.
    pub fn look(&mut self) {
        let took = (0..TRIES).map(|_| arithmetic()).min();
        self.0.extend(took.map(|took| Look { ended: Instant::now(), took }));
    }

    /// When the machine was slow.
    pub fn slowness(self) -> Slowness {
        let looks = Quantiles::of(self.0.iter().map(|look| look.took).collect());
        let bound = looks.at(0.5) * SLOW;
        let is_slow = |look: &Look| look.took.as_secs_f64() * 1e3 > bound;
        let slow = self.0.iter().enumerate().filter(|(_, look)| is_slow(look));
        let spells = slow
            .map(|(at, _)| Spell { from: self.0[at.saturating_sub(1)].ended, to: self.0[(at + 1).min(self.0.len() - 1)].ended });
        Slowness { percent: looks.share_above(bound) * 100.0, spells: spells.collect() }
    }
}

/// When a machine was slow, as far as looks at it tell.
pub struct Slowness {
    percent: f64,
    /// In the order of time.
    spells: Vec<Spell>,
}

/// From the look before a slow one to the one behind it.
struct Spell {
    from: Instant,
    to: Instant,
}

impl Slowness {
    /// At how many looks of a hundred the machine was slow.
    pub fn percent(&self) -> f64 {
        self.percent
    }

    /// Whether the machine was slow at any time between these two.
    pub fn is_met(&self, from: Instant, to: Instant) -> bool {
        let first = self.spells.partition_point(|spell| spell.to < from);
        self.spells.get(first).is_some_and(|spell| spell.from <= to)
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

    /// Looks that end each millisecond and took so many microseconds.
    fn slowness(micros: &[u64]) -> (Instant, Slowness) {
        let start = Instant::now();
        let looks = micros
            .iter()
            .zip(0..)
            .map(|(took, at)| Look { ended: start + Duration::from_millis(at), took: Duration::from_micros(*took) });
        (start, Pulse(looks.collect()).slowness())
    }

    #[test]
    fn looks_that_took_more_than_three_times_the_median_are_slow() {
        let percent = |micros: &[u64]| slowness(micros).1.percent();
        assert_eq!(percent(&[]), 0.0);
        assert_eq!(percent(&[2, 2, 2, 6]), 0.0);
        assert_eq!(percent(&[7, 2, 2, 2, 1, 2, 2, 40]), 25.0);
        let mut pulse = Pulse::default();
        pulse.look();
        assert!(!pulse.0[0].took.is_zero());
    }

    #[test]
    fn who_waited_from_before_a_slow_look_until_after_it_began_met_a_slow_machine() {
        let (start, slow) = slowness(&[2, 2, 2, 9, 9, 2, 2, 2, 9]);
        let is_met = |from: u64, to: u64| slow.is_met(start + Duration::from_micros(from), start + Duration::from_micros(to));
        // Slow from 2 to 5 ms, and from 7 to the end, at 8.
        let lives = [
            (0, 1_900),
            (0, 2_000),
            (0, 9_000),
            (3_100, 3_200),
            (5_000, 5_100),
            (5_001, 6_999),
            (5_500, 7_000),
            (8_000, 9_000),
            (8_001, 9_000),
        ];
        assert_eq!(lives.map(|(from, to)| is_met(from, to)), [false, true, true, true, true, false, true, true, false]);
        assert!(!slowness(&[]).1.is_met(start, start));
    }
}
