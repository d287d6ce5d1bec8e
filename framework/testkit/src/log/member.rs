use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use headwater_core::TopicPartition;
use headwater_core::port::MembershipEvent;

/// One member of a group, as [`MemoryLog::members`](super::MemoryLog::members) shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    /// The id it got when it joined.
    pub id: String,
    /// `group.instance.id` of a static member.
    pub instance: Option<String>,
    /// Its generation; a commit must carry exactly this one.
    pub generation: i32,
    /// The partitions nobody else can get, ascending: those being revoked are still among them.
    pub partitions: Vec<TopicPartition>,
}

/// A member as the group sees it.
#[derive(Default)]
pub(super) struct Member {
    pub instance: Option<Arc<str>>,
    pub topics: Vec<String>,
    /// The group's generation when it was last told something; it moves only in a heartbeat of the member itself.
    pub epoch: i32,
    /// What it should own in the end.
    pub target: BTreeSet<TopicPartition>,
    /// What it owns now, until it has given it up.
    pub owned: BTreeSet<TopicPartition>,
    /// Told as assigned, not answered yet.
    pub offered: BTreeSet<TopicPartition>,
    /// Told as revoked, not answered yet.
    pub revoking: BTreeSet<TopicPartition>,
    /// Since when it gives no sign of life.
    pub silent_since: Option<Duration>,
}

impl Member {
    /// Whether it still has to answer what it was told. It is told nothing new before.
    pub fn is_busy(&self) -> bool {
        !self.offered.is_empty() || !self.revoking.is_empty()
    }

    pub fn to_revoke(&self) -> BTreeSet<TopicPartition> {
        self.owned.difference(&self.target).cloned().collect()
    }

    /// Revokes first; only then it moves to the group's generation and gets new partitions.
    pub fn revoke(&mut self, partitions: BTreeSet<TopicPartition>) -> MembershipEvent {
        let event = MembershipEvent::Revoked(partitions.iter().cloned().collect());
        self.revoking = partitions;
        event
    }

    pub fn offer(&mut self, partitions: BTreeSet<TopicPartition>) -> MembershipEvent {
        let event = MembershipEvent::Assigned(partitions.iter().cloned().collect());
        self.owned.extend(partitions.iter().cloned());
        self.offered = partitions;
        event
    }

    pub fn accept(&mut self, partitions: &[TopicPartition]) {
        for partition in partitions {
            self.offered.remove(partition);
        }
    }

    /// Gives up what was revoked; what was not stays its own.
    pub fn give_up(&mut self, partitions: &[TopicPartition]) {
        for partition in partitions {
            if self.revoking.remove(partition) {
                self.owned.remove(partition);
            }
        }
    }
}
