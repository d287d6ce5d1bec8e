use std::io::{IsTerminal, stderr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use headwater_core::bounded::Progress;

use crate::progress::Progress as Bar;

/// Between two lines where there is no terminal.
const LINE: Duration = Duration::from_secs(2);

/// Shows how far a run is: a bar on a terminal, otherwise lines of JSON on stderr.
pub(super) struct Shown {
    id: String,
    began: Instant,
    state: Mutex<State>,
}

struct State {
    bar: Option<Bar>,
    first: Option<u64>,
    told: Option<Instant>,
}

impl Shown {
    pub(super) fn new(id: &str, total: u64) -> Shown {
        let bar = stderr().is_terminal().then(|| Bar::new(format!("backfill {id}"), total));
        Shown { id: id.to_owned(), began: Instant::now(), state: Mutex::new(State { bar, first: None, told: None }) }
    }

    pub(super) fn tell(&self, progress: Progress) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // A run that is resumed does not get its speed from what was done before.
        let first = *state.first.get_or_insert(progress.done);
        match &state.bar {
            Some(bar) => bar.set(progress.done),
            None if state.told.is_none_or(|told| told.elapsed() >= LINE) || progress.is_complete() => {
                state.told = Some(Instant::now());
                eprintln!("{}", line(&self.id, progress, first, self.began.elapsed()));
            }
            None => {}
        }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = self.state.lock().unwrap_or_else(PoisonError::into_inner).bar.take() {
            bar.finish();
        }
    }
}

fn line(id: &str, progress: Progress, first: u64, elapsed: Duration) -> serde_json::Value {
    let rate = progress.done.saturating_sub(first) as f64 / elapsed.as_secs_f64().max(0.001);
    let left = progress.total.saturating_sub(progress.done) as f64;
    let eta = (rate > 0.0).then(|| (left / rate).ceil());
    serde_json::json!({
        "backfill": id,
        "done": progress.done,
        "total": progress.total,
        "per_second": rate.round(),
        "eta_seconds": eta,
        "open_partitions": progress.open,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_rate_and_time_left_of_this_life() {
        let progress = Progress { total: 1000, done: 600, open: 2 };
        let line = line("june", progress, 400, Duration::from_secs(2));
        assert_eq!(line["per_second"], 100.0);
        assert_eq!(line["eta_seconds"], 4.0);
        assert_eq!((&line["done"], &line["open_partitions"]), (&600.into(), &2.into()));
    }
}
