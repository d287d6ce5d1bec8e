//! An application that fails again and again: it remembers that in its state directory, waits before it tries again, and forgets it once it
//! gets on. Without this an orchestrator restarts it many times a minute, and each start costs the whole group two rebalances.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use headwater_core::port::Stores;
use headwater_core::{BackOff, Failures, RunFailure, Timestamp, TopicPartition};

use crate::{Observer, Phase, Shutdown};

/// The memory in the state directory.
pub const FAILURES_MEMO: &str = "failures.json";

/// What a process knows of its predecessors' failures. As an observer it hears of progress.
pub struct CrashLoop {
    stores: Arc<dyn Stores>,
    observer: Arc<dyn Observer>,
    failures: Mutex<Option<Failures>>,
    progressed: AtomicBool,
}

impl CrashLoop {
    /// Looks up what happened before. A memory that cannot be read is none: it must not be one more reason to fail.
    pub fn recall(stores: Arc<dyn Stores>, observer: Arc<dyn Observer>) -> CrashLoop {
        let failures = match stores.memo(FAILURES_MEMO) {
            Ok(text) => text.as_deref().and_then(Failures::from_json),
            Err(error) => {
                tracing::warn!(%error, "what is remembered of earlier failures cannot be read");
                None
            }
        };
        observer.failures(failures.as_ref().map_or(0, |failures| failures.in_a_row.into()));
        CrashLoop { stores, observer, failures: Mutex::new(failures), progressed: AtomicBool::new(false) }
    }

    /// Waits as long as the rule says, or until a stop is asked for: then the answer is false.
    pub fn wait(&self, rule: &BackOff, now: Timestamp, shutdown: &Shutdown) -> bool {
        let Some(failures) = self.failures().clone() else { return !shutdown.is_requested() };
        let wait = failures.wait(rule, now);
        if wait.is_zero() {
            return !shutdown.is_requested();
        }
        let (count, code) = (failures.in_a_row, failures.code.as_deref().unwrap_or("none"));
        let seconds = wait.as_secs_f64();
        tracing::warn!(
            failures = count,
            code,
            seconds,
            error = failures.message,
            "failed again and again without progress: waiting before the next try"
        );
        self.observer.phase(&Phase::BackingOff(format!("backing off after {count} failures: {}", failures.message)));
        let stopped = shutdown.wait(wait);
        if !stopped {
            self.observer.phase(&Phase::Starting);
        }
        !stopped
    }

    /// Remembers how this run ended.
    pub fn failed(&self, failure: RunFailure, now: Timestamp) {
        let mut failures = self.failures();
        let next = Failures::after(failures.take(), self.progressed.load(Ordering::Acquire), failure, now);
        self.observer.failures(next.in_a_row.into());
        self.keep(Some(&next));
        *failures = Some(next);
    }

    fn keep(&self, failures: Option<&Failures>) {
        let kept = self.stores.set_memo(FAILURES_MEMO, failures.map(Failures::to_json).as_deref());
        if let Err(error) = kept {
            tracing::warn!(%error, "failures cannot be remembered: the next start may not wait");
        }
    }

    fn failures(&self) -> MutexGuard<'_, Option<Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for CrashLoop {
    fn progressed(&self, positions: &[(TopicPartition, i64)]) {
        self.progressed.store(true, Ordering::Release);
        let mut failures = self.failures();
        if failures.as_ref().is_some_and(|failures| failures.are_over(positions)) {
            tracing::info!("there is progress again; earlier failures are forgotten");
            *failures = None;
            self.keep(None);
            self.observer.failures(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use headwater_testkit::MemoryStores;

    use super::*;

    #[derive(Default)]
    struct Notes(Mutex<Vec<String>>);

    impl Observer for Notes {
        fn phase(&self, phase: &Phase) {
            self.0.lock().unwrap().push(format!("{phase:?}"));
        }
        fn failures(&self, in_a_row: u64) {
            self.0.lock().unwrap().push(in_a_row.to_string());
        }
    }

    const RULE: BackOff = BackOff { after: 2, first: Duration::from_secs(3600), most: Duration::from_secs(7200) };
    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn failure() -> RunFailure {
        RunFailure { code: None, message: "it broke".into(), record: None }
    }

    #[test]
    fn remembers_over_starts_and_forgets_with_progress() {
        let (stores, notes) = (Arc::new(MemoryStores::new()), Arc::new(Notes::default()));
        let start = || CrashLoop::recall(stores.clone(), notes.clone());
        let shutdown = Shutdown::new();
        for _ in 0..2 {
            let start = start();
            assert!(start.wait(&RULE, NOW, &shutdown), "one failure is not waited for");
            start.failed(failure(), NOW);
        }
        let third = start();
        shutdown.request();
        assert!(!third.wait(&RULE, NOW, &shutdown), "a stop ends the wait at once");
        let seen = std::mem::take(&mut *notes.0.lock().unwrap());
        assert_eq!(seen, ["0", "1", "1", "2", "2", r#"BackingOff("backing off after 2 failures: it broke")"#]);

        assert!(third.wait(&RULE, NOW + Duration::from_secs(3600), &Shutdown::new()), "the time is over");
        third.progressed(&[(TopicPartition::new("in", 0), 5)]);
        assert_eq!(stores.memo(FAILURES_MEMO).unwrap(), None);
        third.failed(failure(), NOW);
        assert_eq!(*notes.0.lock().unwrap(), ["0", "1"]);
        assert!(Failures::from_json(&stores.memo(FAILURES_MEMO).unwrap().unwrap()).is_some());
    }

    #[test]
    fn a_memory_that_is_damaged_is_none() {
        let stores = Arc::new(MemoryStores::new());
        stores.set_memo(FAILURES_MEMO, Some("half a fi")).unwrap();
        let notes = Arc::new(Notes::default());
        assert!(CrashLoop::recall(stores, notes.clone()).wait(&RULE, NOW, &Shutdown::new()));
        assert_eq!(*notes.0.lock().unwrap(), ["0"]);
    }
}
