use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use headwater_runtime::{Observer, Phase};
use serde::Serialize;

use crate::metrics::phase_name;

/// Remembers what a readiness probe wants to know.
pub struct Status {
    now: Mutex<Now>,
}

struct Now {
    phase: Phase,
    restoring_tasks: u64,
    running_tasks: u64,
    remaining: BTreeMap<(String, i32), u64>,
    incomplete: Vec<String>,
}

/// The answer of `/readyz`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// Whether all tasks are processing.
    pub ready: bool,
    /// The phase's name.
    pub phase: &'static str,
    /// Why the process failed, or waits before it starts again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What is waited for, in words, while there is something to read back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<String>,
    /// Tasks that are processing.
    pub running_tasks: u64,
    /// Tasks that are restoring.
    pub restoring_tasks: u64,
    /// What is still to be read back.
    pub restore: Vec<RestoreProgress>,
    /// Tasks that cannot run here, because another member of the group has some of their partitions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<String>,
}

/// A changelog partition being read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RestoreProgress {
    /// The store.
    pub store: String,
    /// The partition.
    pub partition: i32,
    /// Records still to read.
    pub remaining_records: u64,
}

impl Default for Status {
    fn default() -> Status {
        let now = Now {
            phase: Phase::Starting,
            restoring_tasks: 0,
            running_tasks: 0,
            remaining: BTreeMap::new(),
            incomplete: Vec::new(),
        };
        Status { now: Mutex::new(now) }
    }
}

impl Status {
    /// Where the process is in its life.
    pub fn current_phase(&self) -> Phase {
        self.now().phase.clone()
    }

    /// Whether it is ready, and if not, what it waits for.
    pub fn readiness(&self) -> Readiness {
        let now = self.now();
        let progress = |((store, partition), remaining): (&(String, i32), &u64)| RestoreProgress {
            store: store.clone(),
            partition: *partition,
            remaining_records: *remaining,
        };
        let remaining: u64 = now.remaining.values().sum();
        let restoring = now.restoring_tasks;
        Readiness {
            waiting: (restoring > 0).then(|| format!("restoring: {restoring} tasks, {remaining} records left")),
            ready: now.phase == Phase::Running,
            phase: phase_name(&now.phase),
            error: match &now.phase {
                Phase::Failed(reason) | Phase::BackingOff(reason) => Some(reason.clone()),
                _ => None,
            },
            running_tasks: now.running_tasks,
            restoring_tasks: now.restoring_tasks,
            restore: now.remaining.iter().map(progress).collect(),
            incomplete: now.incomplete.clone(),
        }
    }

    /// Every change is a single assignment, so what a panicking thread left behind is still true.
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Status {
    fn phase(&self, phase: &Phase) {
        self.now().phase = phase.clone();
    }

    fn incomplete(&self, tasks: &[String]) {
        self.now().incomplete = tasks.to_vec();
    }

    fn tasks(&self, restoring: u64, running: u64) {
        let mut now = self.now();
        (now.restoring_tasks, now.running_tasks) = (restoring, running);
        if restoring == 0 {
            // A task that left in the middle of its restore never says that nothing remains.
            now.remaining.clear();
        }
    }

    fn restoring(&self, store: &str, partition: i32, _applied: u64, remaining: u64) {
        let key = (store.to_owned(), partition);
        match remaining {
            0 => self.now().remaining.remove(&key),
            _ => self.now().remaining.insert(key, remaining),
        };
    }
}
