use headwater_core::port::LogError;

use super::handle::MemoryLog;

/// A call of a [`Producer`](headwater_core::port::Producer) or a [`Reader`](headwater_core::port::Reader).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// `init`
    Init,
    /// `begin`
    Begin,
    /// `send`
    Send,
    /// `flush` and `acknowledged`
    Flush,
    /// `commit` and `commit_offsets`
    Commit,
    /// `offsets_committed`: the answer to `commit_offsets`, which took effect
    Answer,
    /// `abort`
    Abort,
    /// `committed`, of any reader
    Committed,
}

/// One failure to come: the next such call fails before it had any effect, and the call after it is served again.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The producer it hits; none hits one without transactional id, and readers.
    pub transactional_id: Option<String>,
    /// The call it hits.
    pub call: Call,
    /// What that call returns. After [`LogError::AbortTransaction`] the open transaction can only be aborted.
    pub error: LogError,
}

/// The faults still to come, oldest first.
#[derive(Default)]
pub(super) struct Faults {
    armed: Vec<Fault>,
}

impl Faults {
    /// Fails if a fault was armed for this call, and disarms it.
    pub fn strike(&mut self, transactional_id: Option<&str>, call: Call) -> Result<(), LogError> {
        let hit = |fault: &Fault| fault.call == call && fault.transactional_id.as_deref() == transactional_id;
        match self.armed.iter().position(hit) {
            Some(index) => Err(self.armed.remove(index).error),
            None => Ok(()),
        }
    }
}

impl MemoryLog {
    /// Arms a fault. Several for the same call strike one after the other.
    pub fn inject(&self, fault: Fault) {
        self.lock().faults.armed.push(fault);
    }
}
