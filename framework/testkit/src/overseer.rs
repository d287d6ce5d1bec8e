use std::collections::BTreeSet;

use headwater_core::TopicPartition;
use headwater_core::engine::{Posture, View};

/// Who has a say in how a [`LocalProcess`](crate::LocalProcess) works while an application is handed over from one generation to the next.
pub trait Overseer {
    /// Whether tasks may be started now. Those that may not wait for the next round.
    fn may_start(&mut self) -> bool;
    /// How workers are to work, and a number that tells this posture from those before.
    fn posture(&self) -> (u64, Posture);
    /// A worker has taken the posture of this number and has nothing left to commit; these partitions stand
    /// ([`Worker::settled`](headwater_core::engine::Worker::settled)).
    fn settled(&self, worker: usize, number: u64, partitions: BTreeSet<TopicPartition>);
    /// What the process owns from now on.
    fn owns(&self, view: Option<View>);
}
