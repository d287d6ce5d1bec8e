use std::collections::BTreeSet;
use std::time::Duration;

use headwater_core::TopicPartition;
use headwater_core::port::{GroupMetadata, LogError, Membership, MembershipEvent};

use super::site::Site;
use crate::fault::Call;
use crate::mark::Mark;
use crate::mutation::Mutation;
use crate::stage;

/// Polls for which a member that lost its partitions keeps that to itself, with the mutation `fresh-membership`.
const SILENCE: usize = 3;

pub struct SimMembership {
    inner: Box<dyn Membership>,
    site: Site,
    instance: Option<String>,
    /// What the mutation holds back, and for how many polls.
    held_back: (Vec<MembershipEvent>, usize),
}

impl SimMembership {
    pub fn new(inner: Box<dyn Membership>, site: Site, instance: Option<String>) -> SimMembership {
        SimMembership { inner, site, instance, held_back: (Vec::new(), 0) }
    }

    fn members(&self) -> Vec<(String, Option<String>)> {
        self.site.log.members(&self.site.facts.app).into_iter().map(|member| (member.id, member.instance)).collect()
    }

    /// After a poll of somebody who was no member: which one it is now.
    fn learn_id(&self, before: &[(String, Option<String>)]) {
        let new = self.members().into_iter().find(|member| !before.contains(member));
        let Some((id, _)) = new else { return };
        let returned = self.instance.is_some() && before.iter().any(|(_, instance)| *instance == self.instance);
        let mut control = self.site.control.lock();
        control.mark_if(returned, Mark::StaticReturn);
        control.processes[self.site.process].member = Some(id);
    }

    fn told(&self, event: &MembershipEvent) {
        let (what, partitions) = match event {
            MembershipEvent::Assigned(partitions) => ("assigned", partitions),
            MembershipEvent::Revoked(partitions) => ("revoked", partitions),
            MembershipEvent::Lost(partitions) => ("lost", partitions),
        };
        let mut control = self.site.control.lock();
        control.progress += 1;
        let process = &mut control.processes[self.site.process];
        let dirty = process.open > 0;
        match event {
            MembershipEvent::Assigned(partitions) => {
                let back = partitions.iter().any(|partition| process.given_up.contains(partition));
                control.mark_if(back, Mark::AssignedBack);
            }
            MembershipEvent::Revoked(partitions) => {
                process.given_up.extend(partitions.iter().cloned());
                control.mark_if(dirty, Mark::RevokedDirty);
            }
            MembershipEvent::Lost(partitions) => {
                process.given_up.extend(partitions.iter().cloned());
                control.mark_if(dirty, Mark::LostDirty);
            }
        }
        drop(control);
        let all: BTreeSet<&TopicPartition> = partitions.iter().collect();
        self.site.line(what, String::new(), None, || format!("{all:?}"));
    }

    /// What the mutations make of what the group said.
    fn mutated(&mut self, events: Vec<MembershipEvent>) -> Result<Vec<MembershipEvent>, LogError> {
        let control = self.site.control.lock();
        let (early, fresh) = (control.is(Mutation::GivenBackEarly), control.is(Mutation::FreshMembership));
        drop(control);
        for event in &events {
            match event {
                MembershipEvent::Revoked(partitions) if early => {
                    self.inner.unassign(partitions)?;
                    stage::interlude(None);
                }
                MembershipEvent::Lost(partitions) if fresh => {
                    self.inner.unassign(partitions)?;
                    self.held_back.1 = SILENCE;
                }
                _ => {}
            }
        }
        self.held_back.0.extend(events);
        if self.held_back.1 > 0 {
            self.held_back.1 -= 1;
            return Ok(Vec::new());
        }
        Ok(std::mem::take(&mut self.held_back.0))
    }
}

impl Membership for SimMembership {
    fn poll(&mut self, timeout: Duration) -> Result<Vec<MembershipEvent>, LogError> {
        let before = if self.inner.metadata().is_none() { Some(self.members()) } else { None };
        let SimMembership { inner, site, .. } = self;
        let events = site.call(Call::MemberPoll, || inner.poll(timeout))?;
        if let Some(before) = before {
            self.learn_id(&before);
        }
        let events = self.mutated(events)?;
        events.iter().for_each(|event| self.told(event));
        Ok(events)
    }

    fn assign(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError> {
        let SimMembership { inner, site, .. } = self;
        site.call(Call::MemberAssign, || inner.assign(partitions))
    }

    fn unassign(&mut self, partitions: &[TopicPartition]) -> Result<(), LogError> {
        let SimMembership { inner, site, .. } = self;
        site.call(Call::MemberUnassign, || inner.unassign(partitions))?;
        let all: BTreeSet<&TopicPartition> = partitions.iter().collect();
        site.line("gives up", String::new(), None, || format!("{all:?}"));
        Ok(())
    }

    fn metadata(&self) -> Option<GroupMetadata> {
        let metadata = self.inner.metadata()?;
        self.site.control.lock().processes[self.site.process].membership = Some(metadata.clone());
        Some(metadata)
    }

    fn leave(&mut self) -> Result<(), LogError> {
        let SimMembership { inner, site, .. } = self;
        site.call(Call::MemberLeave, || inner.leave())?;
        site.line("leaves", String::new(), None, String::new);
        Ok(())
    }
}
