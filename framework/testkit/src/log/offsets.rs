use headwater_core::TopicPartition;
use headwater_core::port::{Committed, GroupMetadata, LogError};

use super::membership::MemberId;
use super::state::State;

impl State {
    /// Writes a group's offsets if the member that has them is still one, in the same generation.
    pub fn commit_offsets(&mut self, offsets: &[(TopicPartition, Committed)], group: &GroupMetadata) -> Result<(), LogError> {
        if offsets.is_empty() {
            return Ok(());
        }
        let name = &group.group;
        let foreign = || LogError::Fatal(format!("the metadata of group {name:?} was not made by this log"));
        let MemberId(id) = group.handle.downcast_ref::<MemberId>().ok_or_else(foreign)?;
        let group_state = self.groups.get_mut(name).ok_or_else(foreign)?;
        group_state.check(name, id, group.generation)?;
        group_state.offsets.extend(offsets.iter().cloned());
        Ok(())
    }
}
