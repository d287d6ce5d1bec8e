use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use headwater_core::Timestamp;

use super::clock::Timeouts;
use super::delay::Delays;
use super::fault::Faults;
use super::group::Group;
use super::refusal::Refusals;
use super::topics::Topics;
use super::transactions::Coordinator;

/// All that the log knows, behind its one lock.
pub(super) struct State {
    pub topics: Topics,
    pub transactions: Coordinator,
    pub groups: HashMap<Arc<str>, Group>,
    pub faults: Faults,
    pub delays: Delays,
    pub refusals: Refusals,
    /// What wall clocks showed when the log was made, if anybody said.
    pub date: Option<Timestamp>,
    pub waiting: Waiting,
    pub timeouts: Timeouts,
    /// Time passed since the log was made.
    pub now: Duration,
}

impl State {
    pub fn new(timeouts: Timeouts) -> State {
        State {
            topics: Topics::default(),
            transactions: Coordinator::default(),
            groups: HashMap::new(),
            faults: Faults::default(),
            delays: Delays::default(),
            refusals: Refusals::default(),
            date: None,
            waiting: Waiting::default(),
            timeouts,
            now: Duration::ZERO,
        }
    }
}

/// What a blocked call can be woken by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiter {
    /// A change that is visible to everybody.
    Committed,
    /// Any record, of an open transaction too.
    Uncommitted,
}

/// How many threads wait: signalling a condition variable is a system call even when nobody does.
#[derive(Default)]
pub(super) struct Waiting {
    committed: usize,
    uncommitted: usize,
}

impl Waiting {
    pub fn enter(&mut self, waiter: Waiter) {
        *self.count(waiter) += 1;
    }

    pub fn leave(&mut self, waiter: Waiter) {
        *self.count(waiter) -= 1;
    }

    pub fn anybody(&self) -> bool {
        self.committed + self.uncommitted > 0
    }

    pub fn for_uncommitted(&self) -> bool {
        self.uncommitted > 0
    }

    fn count(&mut self, waiter: Waiter) -> &mut usize {
        match waiter {
            Waiter::Committed => &mut self.committed,
            Waiter::Uncommitted => &mut self.uncommitted,
        }
    }
}
