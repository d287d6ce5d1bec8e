//! Windows in event time.

use std::time::Duration;

use crate::time::Timestamp;

/// A span of event time, `[start, end)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Window {
    start: Timestamp,
    end: Timestamp,
}

impl Window {
    /// The window `[start, start + size)`.
    pub fn new(start: Timestamp, size: Duration) -> Window {
        Window { start, end: start + size }
    }

    /// The first moment that belongs to the window.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// The first moment after the window.
    pub fn end(&self) -> Timestamp {
        self.end
    }
}

/// A key within one window.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Windowed<K> {
    /// The key.
    pub key: K,
    /// The window.
    pub window: Window,
}

impl<K> Windowed<K> {
    /// A key whose window's length is not known: as decoded from a topic.
    pub(crate) fn starting_at(key: K, start: i64) -> Windowed<K> {
        Windowed { key, window: Window::new(Timestamp::from_millis(start), Duration::ZERO) }
    }
}

/// Windows of one length, one after the other, aligned to the epoch: each record belongs to exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tumbling {
    size: Duration,
    grace: Duration,
}

impl Tumbling {
    /// Windows of this length (at least a millisecond), without grace.
    pub const fn of(size: Duration) -> Tumbling {
        Tumbling { size, grace: Duration::ZERO }
    }

    /// How long a window stays open after its end, counted in event time beyond the input's out-of-orderness bound. A window closes when
    /// the watermark reaches its end plus the grace; records for it that come later are dropped and counted as late.
    pub const fn grace(self, grace: Duration) -> Tumbling {
        Tumbling { grace, ..self }
    }

    /// The window of a moment.
    pub fn window_of(&self, timestamp: Timestamp) -> Window {
        Window::new(timestamp.align_down(self.size), self.size)
    }

    /// The watermark at which a window closes.
    pub fn closes_at(&self, window: Window) -> Timestamp {
        window.end() + self.grace
    }

    /// The windows' length.
    pub const fn size(&self) -> Duration {
        self.size
    }

    /// How long a window stays open after its end.
    pub const fn grace_period(&self) -> Duration {
        self.grace
    }

    /// From a window's start to its closing.
    pub fn lifetime(&self) -> Duration {
        self.size + self.grace
    }
}
