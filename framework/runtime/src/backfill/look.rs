use std::time::Duration;

use headwater_core::bounded::{InputProgress, Progress};

/// What a bounded run is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStage {
    /// Its inputs are read.
    Reading,
    /// They are, and what of them is in repartition topics is not.
    Finishing,
    /// Everything is read and committed.
    Complete,
}

/// How far a bounded run is, whoever works on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLook {
    /// What it is at.
    pub stage: RunStage,
    /// Per partition of its inputs of which anything is read.
    pub inputs: Vec<InputProgress>,
    /// How long the inputs take from now on, at their speed since this process began to look; none while nothing has moved.
    pub time_left: Option<Duration>,
}

impl RunLook {
    /// From what is committed now, and the offsets that were `first`, so long ago.
    pub(super) fn of(progress: Progress, inputs: Vec<InputProgress>, first: u64, ago: Duration) -> RunLook {
        let left = progress.total.saturating_sub(progress.done);
        let stage = match (left, progress.is_complete()) {
            (_, true) => RunStage::Complete,
            (0, false) => RunStage::Finishing,
            _ => RunStage::Reading,
        };
        let moved = progress.done.saturating_sub(first);
        let seconds = || ago.as_secs_f64() * left as f64 / moved as f64;
        let time_left = (moved > 0).then(|| Duration::try_from_secs_f64(seconds()).unwrap_or(Duration::MAX));
        RunLook { stage, inputs, time_left }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(done: u64, open: usize, stage: RunStage, seconds: Option<u64>) {
        let look = RunLook::of(Progress { total: 1000, done, open }, Vec::new(), 400, Duration::from_secs(2));
        assert_eq!((look.stage, look.time_left), (stage, seconds.map(Duration::from_secs)));
    }

    #[test]
    fn the_time_left_goes_by_what_was_done_since() {
        check(400, 4, RunStage::Reading, None);
        check(600, 4, RunStage::Reading, Some(4));
        check(1000, 2, RunStage::Finishing, Some(0));
        check(1000, 0, RunStage::Complete, Some(0));
    }
}
