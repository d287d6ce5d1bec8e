use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::database::Database;

/// Databases of closed tasks, flushed and kept open for a while: an assignment that comes back soon finds its store as it left it.
#[derive(Default)]
pub(crate) struct Pool {
    kept: Mutex<HashMap<String, Kept>>,
}

struct Kept {
    database: Arc<Database>,
    until: Instant,
}

impl Pool {
    /// Keeps a database until `until`.
    pub(crate) fn put(&self, task: &str, database: Arc<Database>, until: Instant) {
        let replaced = self.lock().insert(task.to_owned(), Kept { database, until });
        // Closed here, not under the lock: closing takes its time.
        drop(replaced);
    }

    /// Takes a task's database out, if it is here.
    pub(crate) fn take(&self, task: &str) -> Option<Arc<Database>> {
        self.lock().remove(task).map(|kept| kept.database)
    }

    /// Closes those whose time is over; all of them when memory is short.
    pub(crate) fn expire(&self, now: Instant, memory_is_short: bool) {
        let over: Vec<Kept> = {
            let mut kept = self.lock();
            let names: Vec<String> =
                kept.iter().filter(|(_, kept)| memory_is_short || kept.until <= now).map(|(name, _)| name.clone()).collect();
            names.iter().filter_map(|name| kept.remove(name)).collect()
        };
        drop(over);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        // Only whole entries are put in and taken out.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When a database kept from `now` on is to be closed.
pub(crate) fn until(now: Instant, keep_open: Duration) -> Option<Instant> {
    if keep_open.is_zero() { None } else { now.checked_add(keep_open) }
}
