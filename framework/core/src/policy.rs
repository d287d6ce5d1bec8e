/// What happens to a record that cannot be decoded or that user code fails on. None of its effects are kept in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// The application stops with an error that names the record. Nothing is lost: it is read again at the next start.
    #[default]
    Fail,
    /// The record is counted (`headwater_records_dropped_total`), logged with its topic, partition and offset, and left out.
    Skip,
}
