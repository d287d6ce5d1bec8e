use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use headwater_core::port::LogError;

/// What the threads that write and listen are told, and tell.
#[derive(Default)]
pub(super) struct Signals {
    begun: OnceLock<Instant>,
    is_enough: AtomicBool,
    is_fed: AtomicBool,
    is_over: AtomicBool,
    failure: Mutex<Option<String>>,
}

impl Signals {
    /// The steady part begins, unless it has.
    pub(super) fn begin(&self) {
        self.begun.get_or_init(Instant::now);
    }

    pub(super) fn begun(&self) -> Option<Instant> {
        self.begun.get().copied()
    }

    /// No further record is wanted.
    pub(super) fn enough(&self) {
        self.is_enough.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_enough(&self) -> bool {
        self.is_enough.load(Ordering::Relaxed)
    }

    /// Every record is written and acknowledged.
    pub(super) fn fed(&self) {
        self.is_fed.store(true, Ordering::Release);
    }

    pub(super) fn is_fed(&self) -> bool {
        self.is_fed.load(Ordering::Acquire)
    }

    /// Both threads end as soon as they can.
    pub(super) fn end(&self) {
        self.enough();
        self.is_over.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Does a thread's work and remembers why it failed, so that nobody waits in vain.
    pub(super) fn watched<T>(&self, work: impl FnOnce() -> Result<T, LogError>) -> Result<T, LogError> {
        let done = work();
        if let Err(error) = &done {
            self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error.to_string());
        }
        done
    }

    pub(super) fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
