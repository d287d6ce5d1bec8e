use std::time::Duration;

/// Times in the order of their length.
#[derive(Clone, Debug, Default)]
pub struct Quantiles(Vec<Duration>);

impl Quantiles {
    /// Of times in any order.
    pub fn of(mut times: Vec<Duration>) -> Quantiles {
        times.sort_unstable();
        Quantiles(times)
    }

    /// The least time that this share of all times, from 0 to 1, does not exceed; in milliseconds. 0 if there are none.
    pub fn at(&self, share: f64) -> f64 {
        let rank = (self.0.len() as f64 * share).ceil() as usize;
        self.0.get(rank.max(1) - 1).or_else(|| self.0.last()).map_or(0.0, millis)
    }

    /// Which share of all times, from 0 to 1, is longer than so many milliseconds. 0 if there are none.
    pub fn share_above(&self, milliseconds: f64) -> f64 {
        let longer = self.0.len() - self.0.partition_point(|time| millis(time) <= milliseconds);
        longer as f64 / self.0.len().max(1) as f64
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

fn millis(time: &Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_times_is_not_above_its_quantile() {
        let hundred = Quantiles::of((1..=100).rev().map(Duration::from_millis).collect());
        assert_eq!([0.0, 0.5, 0.99, 0.991, 1.0].map(|share| hundred.at(share)), [1.0, 50.0, 99.0, 100.0, 100.0]);
        assert_eq!(hundred.count(), 100);
        assert_eq!([0.5, 75.0, 100.0].map(|longest| hundred.share_above(longest)), [1.0, 0.25, 0.0]);
        let one = Quantiles::of(vec![Duration::from_micros(1500)]);
        assert_eq!([one.at(0.5), one.at(0.99)], [1.5, 1.5]);
        assert_eq!(Quantiles::of(Vec::new()).at(0.5), 0.0);
        assert_eq!(Quantiles::of(Vec::new()).share_above(0.0), 0.0);
    }
}
