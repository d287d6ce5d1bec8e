use super::handle::MemoryLog;

/// What the log is late with, for producers without transactional id. Who waits for it gets it all the same, so nothing waits for ever; and what it has
/// not told has happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delays {
    /// That records are written.
    pub acknowledgements: bool,
    /// That offsets are committed.
    pub answers: bool,
}

impl MemoryLog {
    /// Makes the log late from now on, or with the default not any more.
    pub fn delay(&self, delays: Delays) {
        self.lock().delays = delays;
    }
}
