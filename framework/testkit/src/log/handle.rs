use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use headwater_core::port::{Admin, Log, LogError, Membership, MembershipConfig, Producer, ProducerConfig, Reader, ReaderConfig};

use super::admin::MemoryAdmin;
use super::clock::Timeouts;
use super::membership::MemoryMembership;
use super::producer::MemoryProducer;
use super::reader::MemoryReader;
use super::state::{State, Waiter};

const POISONED: &str = "no code outside the log runs under its lock, so a panic under it is a defect of the log";

/// A log cluster of one broker in this process's memory: partitions, transactions, read-committed readers, consumer
/// groups, compaction on demand and injected faults, behind the same port as Apache Kafka. For trying and testing:
/// nothing outlives the process, and no retention runs by itself.
///
/// Clones share one log. A log never asks a clock: what happens "after a while" on a broker happens in
/// [`advance`](MemoryLog::advance).
#[derive(Clone)]
pub struct MemoryLog {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    news: Condvar,
}

impl MemoryLog {
    /// An empty log with the default [`Timeouts`].
    pub fn new() -> MemoryLog {
        MemoryLog::with_timeouts(Timeouts::default())
    }

    /// An empty log with the given timeouts; they count only the time passed to [`advance`](MemoryLog::advance).
    pub fn with_timeouts(timeouts: Timeouts) -> MemoryLog {
        let state = Mutex::new(State::new(timeouts));
        MemoryLog { shared: Arc::new(Shared { state, news: Condvar::new() }) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().expect(POISONED)
    }

    /// Makes a change that others may be waiting for.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.lock();
        let result = change(&mut state);
        if state.waiting.anybody() {
            self.shared.news.notify_all();
        }
        result
    }

    /// Makes a change that only readers of uncommitted records can see: waking the others for each record of a
    /// transaction would cost more than the record.
    pub(super) fn change_uncommitted<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.lock();
        let result = change(&mut state);
        if state.waiting.for_uncommitted() {
            self.shared.news.notify_all();
        }
        result
    }

    /// Gives the lock back until `idle` is false, for `timeout` at most; with a timeout of zero not at all.
    pub(super) fn wait<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        timeout: Duration,
        waiter: Waiter,
        idle: impl Fn(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        if timeout.is_zero() || !idle(&state) {
            return state;
        }
        state.waiting.enter(waiter);
        let (mut state, _) = self.shared.news.wait_timeout_while(state, timeout, |state| idle(state)).expect(POISONED);
        state.waiting.leave(waiter);
        state
    }
}

impl Default for MemoryLog {
    fn default() -> MemoryLog {
        MemoryLog::new()
    }
}

impl Log for MemoryLog {
    fn admin(&self) -> Result<Box<dyn Admin>, LogError> {
        Ok(Box::new(MemoryAdmin::new(self.clone())))
    }

    fn membership(&self, config: &MembershipConfig) -> Result<Box<dyn Membership>, LogError> {
        Ok(Box::new(MemoryMembership::new(self.clone(), config.clone())))
    }

    fn reader(&self, config: &ReaderConfig) -> Result<Box<dyn Reader>, LogError> {
        Ok(Box::new(MemoryReader::new(self.clone(), config)))
    }

    fn producer(&self, config: &ProducerConfig) -> Result<Box<dyn Producer>, LogError> {
        Ok(Box::new(MemoryProducer::new(self.clone(), config)))
    }
}
