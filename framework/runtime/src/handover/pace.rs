use std::time::Duration;

use headwater_core::Timestamp;

/// When something is done. Whoever attends to hand-overs is told, and never asks a clock.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Since any fixed moment; it only grows.
    pub elapsed: Duration,
    /// The time of day.
    pub wall: Timestamp,
}

/// How long the parts of a hand-over may take. The default is fit for production.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Offsets behind the old generation, and on their way in the new one, at which the cut is asked for. Default 5,000: a fraction of a second's work.
    pub close: u64,
    /// How long what is on its way in the new generation's repartition topics may not have got less for it to count as what always is. Default 3 s: more than
    /// between two commits of its.
    pub steady: Duration,
    /// How long a cut may take before it is given up and tried again later; less than `lease`. Default 20 s.
    pub limit: Duration,
    /// Between a cut that was given up and the next. Default 10 s.
    pub again: Duration,
    /// How long the old generation stands for a cut before it gives up on it and goes on. Default 30 s.
    pub lease: Duration,
    /// How long the control topic may take. With zero, what is not there at once is not waited for. Default 5 s.
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            close: 5_000,
            steady: Duration::from_secs(3),
            limit: Duration::from_secs(20),
            again: Duration::from_secs(10),
            lease: Duration::from_secs(30),
            patience: Duration::from_secs(5),
        }
    }
}
