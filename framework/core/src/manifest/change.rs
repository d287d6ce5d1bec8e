use std::fmt;

/// What a change of the topology does to the state there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing: the state is read as it was written.
    Compatible,
    /// State would be misread or left behind, unless whoever changed it knows better.
    NeedsConsent,
    /// State would be misread.
    Incompatible,
}

/// One difference between the manifest kept and the topology at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopologyChange {
    /// The store, repartition, input or operator: what a consent names.
    pub name: String,
    /// Where and what: `store "hourly" of operator "hourly": window length`.
    pub what: String,
    /// The value kept.
    pub old: String,
    /// The value at hand.
    pub new: String,
    /// What follows.
    pub verdict: Verdict,
}

impl fmt::Display for TopologyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: was {}, is now {}", self.what, self.old, self.new)
    }
}
