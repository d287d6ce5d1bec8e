use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::LogError;
use crate::record::TopicPartition;

/// How to join the group.
#[derive(Debug, Clone)]
pub struct MembershipConfig {
    /// The consumer group: the application's name.
    pub group: String,
    /// `group.instance.id` of a static member.
    pub instance: Option<String>,
    /// The topics whose partitions are shared out. Co-partitioned topics (equal partition counts) are handed out
    /// together: partition `p` of all of them goes to the same member.
    pub topics: Vec<String>,
}

/// What the group told this member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MembershipEvent {
    /// These partitions are now this member's, in addition to those it has. Answer with [`Membership::assign`].
    Assigned(Vec<TopicPartition>),
    /// These partitions are to be given up. They stay this member's until it answers with [`Membership::unassign`];
    /// it should commit what it has of them first.
    Revoked(Vec<TopicPartition>),
    /// These partitions belong to somebody else already: nothing of them can be committed. Answer with
    /// [`Membership::unassign`].
    Lost(Vec<TopicPartition>),
}

/// Proof of membership at one moment: goes into a transaction with its offsets, so that the broker refuses the
/// offsets of a member that the group has moved on without (KIP-447).
#[derive(Clone)]
pub struct GroupMetadata {
    /// The group.
    pub group: Arc<str>,
    /// Generation (classic) or member epoch (KIP-848); never negative.
    pub generation: i32,
    /// What the adapter that made it needs to use it.
    pub handle: Arc<dyn Any + Send + Sync>,
}

impl GroupMetadata {
    /// Of nobody: for a transaction that moves no position.
    pub fn none(group: &str) -> GroupMetadata {
        GroupMetadata { group: group.into(), generation: 0, handle: Arc::new(()) }
    }
}

impl fmt::Debug for GroupMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupMetadata").field("group", &self.group).field("generation", &self.generation).finish_non_exhaustive()
    }
}

/// One member of the consumer group. It decides who owns which partitions and reads no records itself: the data comes
/// through [`Reader`](super::Reader)s, so that restoring, processing and rewinding use one mechanism and a
/// rebalance never disturbs what is being read.
pub trait Membership: Send {
    /// Serves the group for up to `timeout` and returns what it said. Must be called often (librdkafka evicts a member
    /// that has not polled for `max.poll.interval.ms`); returns as soon as there is an event.
    fn poll(&mut self, timeout: Duration) -> Result<Vec<MembershipEvent>, LogError>;
    /// Answers [`MembershipEvent::Assigned`].
    fn assign(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError>;
    /// Answers [`MembershipEvent::Revoked`] and [`MembershipEvent::Lost`].
    fn unassign(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError>;
    /// The membership as of now; none while this is not a member (generation below zero).
    fn metadata(&self) -> Option<GroupMetadata>;
    /// Leaves the group at once (a static member stays in it until its session ends: it is expected back).
    fn leave(&mut self) -> Result<(), LogError>;
}
