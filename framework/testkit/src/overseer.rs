use headwater_core::engine::{Posture, View};

/// Who has a say in how a [`LocalProcess`](crate::LocalProcess) works while an application is handed over from one generation to the next.
pub trait Overseer {
    /// Whether tasks may be started now. Those that may not wait for the next round.
    fn may_start(&mut self) -> bool;
    /// How workers are to work, and a number that tells this posture from those before.
    fn posture(&self) -> (u64, Posture);
    /// A worker has taken the posture of this number and has nothing left to commit.
    fn settled(&self, worker: usize, number: u64);
    /// What the process owns from now on.
    fn owns(&self, view: Option<View>);
}
