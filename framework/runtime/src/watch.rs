use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use headwater_core::port::LogError;

use crate::RunError;
use crate::backfill::Ended;

/// What follows from a look.
pub(crate) enum Next {
    /// Look again after so long.
    After(Duration),
    /// It is over.
    Ended(Ended),
}

#[derive(Debug, Default)]
struct Seen {
    ended: Option<Ended>,
    failed: Option<RunError>,
}

/// Looks now and then whether the work is over, on a thread of its own, until it is or this is dropped: a look may take long, and the
/// group must be served meanwhile.
pub(crate) struct Watch {
    seen: Arc<Mutex<Seen>>,
    look_now: Sender<()>,
}

impl Watch {
    /// A watch that looks for the first time after `pause`.
    pub(crate) fn start(
        name: &'static str,
        mut pause: Duration,
        mut look: impl FnMut() -> Result<Next, RunError> + Send + 'static,
    ) -> Result<Watch, LogError> {
        let (look_now, asked) = channel::<()>();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let found = Arc::clone(&seen);
        let work = move || {
            while asked.recv_timeout(pause) != Err(RecvTimeoutError::Disconnected) {
                let end = match look() {
                    Ok(Next::After(wait)) => {
                        pause = wait;
                        continue;
                    }
                    Ok(Next::Ended(ended)) => Seen { ended: Some(ended), failed: None },
                    Err(error) => Seen { ended: None, failed: Some(error) },
                };
                *found.lock().unwrap_or_else(PoisonError::into_inner) = end;
                return;
            }
        };
        let thread = std::thread::Builder::new().name(name.into()).spawn(work);
        thread.map_err(|error| LogError::Fatal(format!("no thread for the {name} watch: {error}")))?;
        Ok(Watch { seen, look_now })
    }

    /// Has it look without waiting for the pause to be over.
    pub(crate) fn look_now(&self) {
        // It has nothing to look at any more once it knows how it ended.
        let _ = self.look_now.send(());
    }

    /// How it ended, once it has. An error is told once.
    pub(crate) fn ended(&self) -> Result<Option<Ended>, RunError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.failed.take() {
            Some(error) => Err(error),
            None => Ok(seen.ended),
        }
    }
}
