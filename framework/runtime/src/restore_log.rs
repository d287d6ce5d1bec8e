//! A line in the log every few seconds for a task that is being restored.

use std::collections::BTreeMap;
use std::time::Duration;

use headwater_core::TaskId;
use headwater_core::engine::RestoreProgress;

/// Between two lines about one task.
const PERIOD: Duration = Duration::from_secs(5);

/// What was read back so far, and when that was said last.
#[derive(Default)]
pub(crate) struct RestoreLog {
    tasks: BTreeMap<TaskId, Restoring>,
}

struct Restoring {
    began: Duration,
    said: Duration,
    applied: u64,
    /// Per store.
    remaining: BTreeMap<String, u64>,
}

/// A line that is due.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    records: u64,
    per_second: u64,
    remaining: u64,
    eta_seconds: Option<u64>,
}

impl RestoreLog {
    /// Takes note of progress, and logs it if the last line is a while ago.
    pub(crate) fn note(&mut self, progress: &RestoreProgress, now: Duration) {
        if let Some(line) = self.line(progress, now) {
            let Line { records, per_second, remaining, eta_seconds } = line;
            tracing::info!(task = %progress.task, records, per_second, remaining, eta_seconds, "restoring state");
        }
    }

    fn line(&mut self, progress: &RestoreProgress, now: Duration) -> Option<Line> {
        let new = || Restoring { began: now, said: now, applied: 0, remaining: BTreeMap::new() };
        let task = self.tasks.entry(progress.task.clone()).or_insert_with(new);
        task.applied += progress.applied;
        task.remaining.insert(progress.store.clone(), progress.remaining);
        if now.saturating_sub(task.said) < PERIOD {
            return None;
        }
        task.said = now;
        let per_second = (task.applied as f64 / (now - task.began).as_secs_f64()) as u64;
        let remaining = task.remaining.values().sum();
        Some(Line { records: task.applied, per_second, remaining, eta_seconds: u64::checked_div(remaining, per_second) })
    }

    /// The task is restored, or left.
    pub(crate) fn forget(&mut self, task: &TaskId) {
        self.tasks.remove(task);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_fast_and_how_long() {
        let mut log = RestoreLog::default();
        let task = TaskId { subtopology: "t".into(), partition: 0 };
        let mut note = |second, store: &str, applied, remaining| {
            let progress = RestoreProgress { task: task.clone(), store: store.into(), applied, remaining };
            log.line(&progress, Duration::from_secs(second))
        };
        assert_eq!(note(10, "a", 0, 5000), None);
        assert_eq!(note(14, "b", 400, 100), None);
        let line = Line { records: 1000, per_second: 100, remaining: 4500, eta_seconds: Some(45) };
        assert_eq!(note(20, "a", 600, 4400), Some(line));
        assert_eq!(note(24, "a", 600, 3800), None, "not every time");
        log.forget(&task);
        let progress = RestoreProgress { task, store: "a".into(), applied: 1, remaining: 0 };
        assert_eq!(log.line(&progress, Duration::from_secs(99)), None, "another restore, counted anew");
    }
}
