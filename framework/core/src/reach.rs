//! How far back in event time state reaches.

use std::time::Duration;

/// How far back state reaches, of one operator or of everything in front of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// What happened longer ago makes no difference.
    Within(Duration),
    /// Everything since the beginning may count: a running total, or a transform that does not declare its
    /// [`horizon`](crate::Transform::horizon).
    Unbounded,
}

impl Reach {
    /// No state at all.
    pub(crate) const NONE: Reach = Reach::Within(Duration::ZERO);

    /// That of state that is made from other state.
    pub(crate) fn behind(self, other: Reach) -> Reach {
        match (self, other) {
            (Reach::Within(own), Reach::Within(before)) => Reach::Within(own + before),
            _ => Reach::Unbounded,
        }
    }

    /// The farther one.
    pub fn max(self, other: Reach) -> Reach {
        match (self, other) {
            (Reach::Within(one), Reach::Within(two)) => Reach::Within(one.max(two)),
            _ => Reach::Unbounded,
        }
    }
}
