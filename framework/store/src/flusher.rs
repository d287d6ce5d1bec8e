use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use headwater_core::port::StoreError;

use crate::engine::Engine;
use crate::error;
use crate::open_tasks::OpenTasks;
use crate::pool::Pool;

/// How often ages are looked at.
const TICK: Duration = Duration::from_secs(1);

/// The thread that keeps the promise about age: a task whose input has fallen silent makes no call in which its last
/// writes could be flushed.
pub(crate) struct Flusher {
    /// Dropped to stop the thread; nothing is ever sent.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Flusher {
    /// Starts it. `path` is only for the error.
    pub(crate) fn start(tasks: Arc<OpenTasks>, pool: Arc<Pool>, engine: Arc<Engine>, path: &Path) -> Result<Self, StoreError> {
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = thread::Builder::new()
            .name("headwater-flush".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                    let now = Instant::now();
                    tasks.flush_older(engine.options().flush_after, now);
                    pool.expire(now, engine.memory_is_short());
                }
            })
            .map_err(|failure| error::io(path, format!("cannot start the flush thread: {failure}")))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // It cannot have panicked with work of ours unfinished: closing a task flushes what is left.
            let _panic = thread.join();
        }
    }
}
