/// What happens to a record that cannot be decoded, that user code fails on, or whose results cannot be written; or to a timer. None of
/// its effects are kept in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// The application stops with an error that names the record. Nothing is lost: it is read again at the next start.
    #[default]
    Fail,
    /// The record is counted (`headwater_records_dropped_total`), logged with its topic, partition and offset, and left out.
    Skip,
    /// The same, and it is written to the application's dead-letter topic as it came, with headers that say where it was, what failed and
    /// why, in the transaction that passes it by: once, whatever crashes. See `docs/operating/dead-letters.md`.
    DeadLetter,
}

impl Policy {
    /// Of two the one that loses less: stop, else keep a copy, else leave out.
    pub(crate) fn stricter(self, other: Policy) -> Policy {
        let rank = |policy| match policy {
            Policy::Fail => 0,
            Policy::DeadLetter => 1,
            Policy::Skip => 2,
        };
        if rank(other) < rank(self) { other } else { self }
    }
}
