use std::time::Duration;

use headwater_core::Timestamp;

use super::handle::MemoryLog;

/// What a broker does after a while. Counted in the time passed to [`MemoryLog::advance`] only, so by default
/// nothing expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// How long a group member that gives no sign of life keeps its partitions; 45 s by default, as in Kafka.
    pub session: Duration,
    /// How long a transaction may stay open after its first record before it is aborted and its producer fenced;
    /// 10 s by default, as Headwater sets it.
    pub transaction: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts { session: Duration::from_secs(45), transaction: Duration::from_secs(10) }
    }
}

impl MemoryLog {
    /// Lets `by` pass at once: aborts the transactions and expires the members whose time is over. A member whose
    /// handle is alive sends its heartbeats in the background, as librdkafka does, and does not expire however long
    /// it does not poll; see [`crash_member`](MemoryLog::crash_member).
    pub fn advance(&self, by: Duration) {
        self.change(|state| {
            state.now = state.now.saturating_add(by);
            state.abort_overdue_transactions();
            state.expire_silent_members();
        });
    }

    /// Says what wall clocks show now: from here on readers tell that records were fetched at this date plus the time passed to
    /// [`advance`](MemoryLog::advance), and event times far beyond it are taken for mistakes. By default the log has no date.
    pub fn set_date(&self, date: Timestamp) {
        let mut state = self.lock();
        state.date = Some(date - state.now);
    }

    /// The time passed since the log was made.
    pub fn now(&self) -> Duration {
        self.lock().now
    }
}
