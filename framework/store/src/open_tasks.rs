use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use headwater_core::port::StoreError;

use crate::database::Database;
use crate::error;

/// The database of an open task as the flusher sees it; none before it is open and once it is closing. Locked while the
/// flusher works on it, so that closing waits for that and the owner's handle is then the last one.
type Slot = Arc<Mutex<Option<Arc<Database>>>>;

/// The tasks this process has open: none twice, all of them flushed in time.
#[derive(Default)]
pub(crate) struct OpenTasks {
    slots: Mutex<HashMap<String, Slot>>,
}

impl OpenTasks {
    /// Claims a task for as long as the claim lives, or says that `path` is in use.
    pub(crate) fn claim(self: &Arc<Self>, task: &str, path: &Path) -> Result<Claim, StoreError> {
        let mut slots = lock(&self.slots);
        if slots.contains_key(task) {
            return Err(error::locked(path));
        }
        let slot = Slot::default();
        slots.insert(task.to_owned(), Arc::clone(&slot));
        Ok(Claim { tasks: Arc::clone(self), task: task.to_owned(), slot })
    }

    /// Flushes every task whose oldest write is `age` old. Failures stay with the task: its next call reports them.
    pub(crate) fn flush_older(&self, age: Duration, now: Instant) {
        let slots: Vec<Slot> = lock(&self.slots).values().cloned().collect();
        for slot in slots {
            if let Some(database) = &*lock(&slot) {
                let _reported_by_the_owner = database.flush_if_older(age, now);
            }
        }
    }
}

/// A task that is open. Must outlive the owner's handle on its database: with the claim goes the right to open it again.
pub(crate) struct Claim {
    tasks: Arc<OpenTasks>,
    task: String,
    slot: Slot,
}

impl Claim {
    /// Hands the open database to the flusher.
    pub(crate) fn opened(&self, database: &Arc<Database>) {
        *lock(&self.slot) = Some(Arc::clone(database));
    }

    /// The task's name.
    pub(crate) fn task(&self) -> &str {
        &self.task
    }

    /// Takes it back, waiting for a flush under way.
    pub(crate) fn closing(&self) {
        *lock(&self.slot) = None;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        lock(&self.tasks.slots).remove(&self.task);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that holds these locks can leave them half-changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
