use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use headwater_core::TopicPartition;
use headwater_core::port::{GroupMetadata, LogError, Membership, MembershipConfig, MembershipEvent};

use super::group::Group;
use super::handle::MemoryLog;
use super::member::Member;
use super::state::{State, Waiter};

/// Dropping it without `leave` is a crash: the group waits for it until its session ends.
pub(super) struct MemoryMembership {
    log: MemoryLog,
    group: Arc<str>,
    config: MembershipConfig,
    standing: Standing,
    /// What it was given and has not given up: what it loses when the group has moved on.
    held: BTreeSet<TopicPartition>,
}

enum Standing {
    /// Joins at the next poll.
    Outside,
    Member(Arc<str>),
    /// Removed by the group; joins again once it has let go of everything.
    Lost,
    Left,
}

/// Travels in [`GroupMetadata::handle`].
pub(super) struct MemberId(pub(super) Arc<str>);

impl MemoryMembership {
    pub fn new(log: MemoryLog, config: MembershipConfig) -> MemoryMembership {
        let group = config.group.as_str().into();
        MemoryMembership { log, group, config, standing: Standing::Outside, held: BTreeSet::new() }
    }

    fn join(&mut self) -> Arc<str> {
        let id = self.log.change(|state| {
            let counts = state.topics.counts();
            state.groups.entry(self.group.clone()).or_default().join(&self.config, &counts)
        });
        self.standing = Standing::Member(id.clone());
        id
    }

    /// The group does not know this member any more.
    fn removed(&mut self) -> Result<Vec<MembershipEvent>, LogError> {
        let successor = self.log.lock().groups.get(&self.group).and_then(|g| g.of_instance(self.config.instance.as_deref()));
        if let Some(successor) = successor {
            return Err(LogError::Fenced(format!("{successor:?} of group {:?} has taken this instance's place", self.group)));
        }
        self.standing = Standing::Lost;
        let lost: Vec<TopicPartition> = self.held.iter().cloned().collect();
        Ok(if lost.is_empty() { Vec::new() } else { vec![MembershipEvent::Lost(lost)] })
    }

    fn tell(&self, tell: impl FnOnce(&mut Member)) {
        if let Standing::Member(id) = &self.standing {
            self.log.change(|state| state.groups.get_mut(&self.group).and_then(|group| group.member_mut(id)).map(tell));
        }
    }

    /// What a poll blocks on.
    fn serve(&self, id: &str, timeout: Duration) -> Option<Vec<MembershipEvent>> {
        let mut state = self.log.lock();
        let events = state.heartbeat(&self.group, id)?;
        if !events.is_empty() || timeout.is_zero() {
            return Some(events);
        }
        let idle = |state: &State| state.groups.get(&self.group).is_some_and(|group: &Group| !group.has_news(id));
        let mut state = self.log.wait(state, timeout, Waiter::Committed, idle);
        state.heartbeat(&self.group, id)
    }
}

impl Membership for MemoryMembership {
    fn poll(&mut self, timeout: Duration) -> Result<Vec<MembershipEvent>, LogError> {
        let id = match &self.standing {
            Standing::Left => return Err(LogError::Fatal(format!("this member has left group {:?}", self.group))),
            Standing::Lost if !self.held.is_empty() => {
                drop(self.log.wait(self.log.lock(), timeout, Waiter::Committed, |_| true));
                return Ok(Vec::new());
            }
            Standing::Outside | Standing::Lost => self.join(),
            Standing::Member(id) => id.clone(),
        };
        let Some(events) = self.serve(&id, timeout) else {
            return self.removed();
        };
        for event in &events {
            if let MembershipEvent::Assigned(partitions) = event {
                self.held.extend(partitions.iter().cloned());
            }
        }
        Ok(events)
    }

    fn assign(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError> {
        self.tell(|member| member.accept(partitions));
        Ok(())
    }

    fn unassign(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError> {
        for partition in partitions {
            self.held.remove(partition);
        }
        self.tell(|member| member.give_up(partitions));
        Ok(())
    }

    fn metadata(&self) -> Option<GroupMetadata> {
        let Standing::Member(id) = &self.standing else {
            return None;
        };
        let generation = self.log.lock().groups.get(&self.group)?.generation(id)?;
        Some(GroupMetadata { group: self.group.clone(), generation, handle: Arc::new(MemberId(id.clone())) })
    }

    fn leave(&mut self) -> Result<(), LogError> {
        if let Standing::Member(id) = std::mem::replace(&mut self.standing, Standing::Left) {
            let is_static = self.config.instance.is_some();
            self.log.change(|state| if is_static { state.silence(&self.group, &id) } else { state.expire(&self.group, &id) });
        }
        self.held.clear();
        Ok(())
    }
}

impl Drop for MemoryMembership {
    fn drop(&mut self) {
        if let Standing::Member(id) = &self.standing {
            self.log.lock().silence(&self.group, id);
        }
    }
}

impl State {
    fn heartbeat(&mut self, group: &str, id: &str) -> Option<Vec<MembershipEvent>> {
        self.groups.get_mut(group)?.heartbeat(id)
    }
}
