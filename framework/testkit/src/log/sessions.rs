use super::group::Group;
use super::handle::MemoryLog;
use super::member::GroupMember;
use super::state::State;

impl State {
    /// A member gives no sign of life from now on. Whether there is such a member.
    pub fn silence(&mut self, group: &str, id: &str) -> bool {
        let member = self.groups.get_mut(group).and_then(|group| group.member_mut(id));
        member.map(|member| member.silent_since = Some(self.now)).is_some()
    }

    /// Removes a member. Whether there was one.
    pub fn expire(&mut self, group: &str, id: &str) -> bool {
        let counts = self.topics.counts();
        self.groups.get_mut(group).is_some_and(|group| group.remove(id, &counts))
    }

    /// Removes the members whose session has ended.
    pub fn expire_silent_members(&mut self) {
        let Some(deadline) = self.now.checked_sub(self.timeouts.session) else {
            return;
        };
        let counts = self.topics.counts();
        for group in self.groups.values_mut() {
            for id in group.silent_since(deadline) {
                group.remove(&id, &counts);
            }
        }
    }
}

impl MemoryLog {
    /// The members of a group, by id; those that crashed are among them until they expire.
    pub fn members(&self, group: &str) -> Vec<GroupMember> {
        self.lock().groups.get(group).map(Group::list).unwrap_or_default()
    }

    /// Stops a member's heartbeats, as if its process had been paused: it expires when the session timeout has passed
    /// by [`advance`](MemoryLog::advance), unless it polls before. Whether there is such a member.
    pub fn crash_member(&self, group: &str, id: &str) -> bool {
        self.lock().silence(group, id)
    }

    /// Ends a member's session now: its partitions are free, what it commits is refused, and its next poll reports them
    /// lost. Whether there was such a member.
    pub fn expire_member(&self, group: &str, id: &str) -> bool {
        self.change(|state| state.expire(group, id))
    }
}
