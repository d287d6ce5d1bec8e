use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use headwater_core::port::{Committed, LogError, MembershipConfig, MembershipEvent};
use headwater_core::{TopicName, TopicPartition};

use super::assignor;
use super::member::{GroupMember, Member};

/// One consumer group: who owns what, by incremental steps in which a partition has at most one owner. It follows
/// KIP-848: the group computes a target, and each member gets there in its own heartbeats.
#[derive(Default)]
pub(super) struct Group {
    epoch: i32,
    joined: u64,
    members: BTreeMap<Arc<str>, Member>,
    pub offsets: HashMap<TopicPartition, Committed>,
}

impl Group {
    pub fn subscribes(&self, topic: &str) -> bool {
        self.members.values().any(|member| member.topics.iter().any(|name| name == topic))
    }

    /// Adds a member and returns its id. A static member that comes back takes the place of its former self, without a
    /// rebalance.
    pub fn join(&mut self, config: &MembershipConfig, counts: &BTreeMap<TopicName, i32>) -> Arc<str> {
        self.joined += 1;
        let id: Arc<str> = format!("{}-{:06}", config.instance.as_deref().unwrap_or("member"), self.joined).into();
        let instance: Option<Arc<str>> = config.instance.as_deref().map(Into::into);
        let mut member = Member { instance, topics: config.topics.clone(), ..Member::default() };
        let former = self.of_instance(member.instance.as_deref()).and_then(|id| self.members.remove(&id));
        let unchanged = former.filter(|former| former.topics == config.topics);
        let rebalance = unchanged.is_none();
        member.target = unchanged.map(|former| former.target).unwrap_or_default();
        self.members.insert(id.clone(), member);
        if rebalance {
            self.rebalance(counts);
        }
        id
    }

    pub fn of_instance(&self, instance: Option<&str>) -> Option<Arc<str>> {
        let same = |member: &Member| instance.is_some() && member.instance.as_deref() == instance;
        self.members.iter().find(|(_, member)| same(member)).map(|(id, _)| id.clone())
    }

    pub fn member_mut(&mut self, id: &str) -> Option<&mut Member> {
        self.members.get_mut(id)
    }

    /// The member's generation; none before its first heartbeat, and for somebody who is no member.
    pub fn generation(&self, id: &str) -> Option<i32> {
        self.members.get(id).map(|member| member.epoch).filter(|epoch| *epoch > 0)
    }

    /// Sets the target anew: static members first and by instance, so that they come back to the same place.
    pub fn rebalance(&mut self, counts: &BTreeMap<TopicName, i32>) {
        self.epoch += 1;
        let mut members: Vec<(&Arc<str>, &mut Member)> = self.members.iter_mut().collect();
        members.sort_by_key(|(id, member)| (member.instance.is_none(), member.instance.clone(), Arc::clone(id)));
        let subscriptions: Vec<&[String]> = members.iter().map(|(_, member)| &member.topics[..]).collect();
        let shares = assignor::range(&subscriptions, counts);
        for ((_, member), share) in members.into_iter().zip(shares) {
            member.target = share;
        }
    }

    /// A member's sign of life; returns what it is to be told, or none if it is no member.
    pub fn heartbeat(&mut self, id: &str) -> Option<Vec<MembershipEvent>> {
        let assignable = self.assignable(id);
        let member = self.members.get_mut(id)?;
        member.silent_since = None;
        if member.is_busy() {
            return Some(Vec::new());
        }
        let revoked = member.to_revoke();
        if !revoked.is_empty() {
            return Some(vec![member.revoke(revoked)]);
        }
        member.epoch = self.epoch;
        if assignable.is_empty() {
            return Some(Vec::new());
        }
        Some(vec![member.offer(assignable)])
    }

    /// Whether a heartbeat would tell something.
    pub fn has_news(&self, id: &str) -> bool {
        let Some(member) = self.members.get(id) else {
            return true;
        };
        !member.is_busy() && (!member.to_revoke().is_empty() || !self.assignable(id).is_empty())
    }

    /// What the member should have and nobody has.
    fn assignable(&self, id: &str) -> BTreeSet<TopicPartition> {
        let Some(member) = self.members.get(id) else {
            return BTreeSet::new();
        };
        let free = |partition: &&TopicPartition| !self.members.values().any(|member| member.owned.contains(*partition));
        member.target.iter().filter(free).cloned().collect()
    }

    /// Removes a member; what it owned is free at once. Whether there was such a member.
    pub fn remove(&mut self, id: &str, counts: &BTreeMap<TopicName, i32>) -> bool {
        let removed = self.members.remove(id).is_some();
        if removed {
            self.rebalance(counts);
        }
        removed
    }

    /// The members that have given no sign of life since before `deadline` or exactly then.
    pub fn silent_since(&self, deadline: Duration) -> Vec<Arc<str>> {
        let silent = |member: &Member| member.silent_since.is_some_and(|since| since <= deadline);
        self.members.iter().filter(|(_, member)| silent(member)).map(|(id, _)| id.clone()).collect()
    }

    /// Refuses the offsets of somebody who is not a member in exactly this generation.
    pub fn check(&self, name: &str, id: &str, generation: i32) -> Result<(), LogError> {
        match self.members.get(id) {
            None => Err(LogError::Fenced(format!("{id:?} is no longer a member of group {name:?}"))),
            Some(member) if member.epoch != generation => Err(LogError::AbortTransaction(format!(
                "member {id:?} of group {name:?} is at generation {}, the offsets come from {generation}",
                member.epoch
            ))),
            Some(_) => Ok(()),
        }
    }

    pub fn list(&self) -> Vec<GroupMember> {
        let show = |(id, member): (&Arc<str>, &Member)| GroupMember {
            id: id.to_string(),
            instance: member.instance.as_deref().map(str::to_owned),
            generation: member.epoch,
            partitions: member.owned.iter().cloned().collect(),
        };
        self.members.iter().map(show).collect()
    }
}
