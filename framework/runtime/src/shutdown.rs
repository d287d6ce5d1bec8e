use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A request to stop, shared by everybody who may make it and everybody who must heed it.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    shared: Arc<(Mutex<bool>, Condvar)>,
}

impl Shutdown {
    /// Not requested yet.
    pub fn new() -> Shutdown {
        Shutdown::default()
    }

    /// Asks for a clean stop: commit, close, leave the group.
    pub fn request(&self) {
        let (requested, news) = &*self.shared;
        *requested.lock().unwrap_or_else(PoisonError::into_inner) = true;
        news.notify_all();
    }

    /// Whether a stop was asked for.
    pub fn is_requested(&self) -> bool {
        *self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a stop is asked for, `limit` at most. Whether it was.
    pub fn wait(&self, limit: Duration) -> bool {
        let (requested, news) = &*self.shared;
        let guard = requested.lock().unwrap_or_else(PoisonError::into_inner);
        *news.wait_timeout_while(guard, limit, |requested| !*requested).unwrap_or_else(PoisonError::into_inner).0
    }
}
