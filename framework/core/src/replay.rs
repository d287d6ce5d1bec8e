use std::fmt;

use serde::{Deserialize, Serialize};

/// What a replay may do to something outside of the log: declared by whoever acts on the outside world, so that the past can be processed
/// again without acting it out again. A replay is a bounded run (`backfill`) and a new generation that has not taken over yet.
///
/// The declaration is about replays only. What a live run hands over again after a crash is told by the contract of
/// [`SinkWriter`](crate::port::SinkWriter): at least once, whatever is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReplayEffect {
    /// What is handed over between two flushes takes effect as a whole, or not at all, and a second time is a second effect that can be
    /// told from the first: rows of a new partition, a file with another name. A replay that writes results reaches it.
    Transactional,
    /// The same once more changes nothing: a row that is replaced by its key, a request with a key of its own that the other side
    /// knows again. A replay that writes results reaches it.
    Idempotent,
    /// Each time is an effect that cannot be taken back: a mail, a page, a payment. A replay does not reach it, not even to open it,
    /// unless the run names it (`backfill --allow-sinks`).
    Forbidden,
}

impl ReplayEffect {
    /// As in plans, descriptions and records of runs.
    pub fn as_str(self) -> &'static str {
        match self {
            ReplayEffect::Transactional => "transactional",
            ReplayEffect::Idempotent => "idempotent",
            ReplayEffect::Forbidden => "forbidden",
        }
    }
}

impl fmt::Display for ReplayEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
