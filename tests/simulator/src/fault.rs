//! What can go wrong, and at which calls.

/// A call of a port: between any two of them something may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    MemberPoll,
    MemberAssign,
    MemberUnassign,
    MemberLeave,
    ReaderAssign,
    ReaderUnassign,
    ReaderPause,
    ReaderPoll,
    ReaderCommitted,
    ReaderEnds,
    ProducerOpen,
    ProducerInit,
    ProducerBegin,
    ProducerSend,
    ProducerCommit,
    ProducerAbort,
    AdminDelete,
    StoreOpen,
    StoreGet,
    StoreScan,
    StoreOffset,
    StoreApply,
    StoreClear,
    StoreFlush,
}

macro_rules! faults {
    ($($name:ident $text:literal $says:literal)*) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        pub enum Fault {
            $(#[doc = $says] $name,)*
        }

        impl Fault {
            /// All of them, in the order in which they are counted.
            pub const ALL: &[Fault] = &[$(Fault::$name),*];

            /// Its name in the summary, in traces and in `WITHOUT`.
            pub fn name(self) -> &'static str {
                match self { $(Fault::$name => $text),* }
            }

            /// What it is.
            pub fn says(self) -> &'static str {
                match self { $(Fault::$name => $says),* }
            }
        }
    };
}

faults! {
    CrashBefore "crash-before" "the process dies before a call has an effect"
    CrashAfter "crash-after" "the process dies before it learns that a call had its effect"
    LostReply "lost-reply" "a call has its effect, and the caller is told that it failed"
    Retriable "retriable" "a call fails without an effect and may be made again"
    Refused "refused" "a record or a commit is refused: the transaction must be aborted"
    Fenced "fenced" "a call is told that another producer has taken over"
    Delayed "delayed" "other processes act between a call and its effect, or between the effect and the reply"
    Stalled "stalled" "a process stands still in the middle of a call until the group has put it out and others have gone on"
    DiskWrite "disk-write" "a write to the disk fails"
    DiskRead "disk-read" "a read from the disk fails"
    DiskOpen "disk-open" "a store cannot be opened"
    Kill "kill" "a process dies; its disk goes back to its last flush"
    DiskLost "disk-lost" "the disk of a dead process is gone"
    Stop "stop" "a process stops cleanly"
    Pause "pause" "a process stands still and sends no heartbeats, until later"
    Expire "expire" "the group puts a member out"
    Storm "storm" "processes start, stop, die in the middle of a commit and are put out in quick succession"
    BrokerTime "broker-time" "time passes for the brokers: transactions time out, sessions of silent members end"
    Stolen "stolen" "another producer registers a transactional id that is in use"
    Unavailable "unavailable" "a partition gives nothing for a while"
    Outage "outage" "no broker answers for a while"
    Trim "trim" "records before the committed position of a repartition topic are deleted"
    Compact "compact" "changelogs are compacted"
    Tombstones "tombstones" "changelogs are compacted and old tombstones removed"
    StartMoved "start-moved" "the start of a compacted changelog moves to its first record"
    TailCut "tail-cut" "an unclean leader election cuts the uncommitted tail of a changelog"
    Retention "retention" "records of an input of a bounded run are deleted, mostly those it is done with, else some it has not committed yet"
}

impl Call {
    /// Whether it goes to a broker, rather than being served by the client or the disk.
    pub fn is_remote(self) -> bool {
        matches!(
            self,
            Call::MemberPoll
                | Call::ReaderPoll
                | Call::ReaderCommitted
                | Call::ReaderEnds
                | Call::ProducerInit
                | Call::ProducerSend
                | Call::ProducerCommit
                | Call::ProducerAbort
                | Call::AdminDelete
        )
    }

    /// The faults that may meet this call, with their weights.
    pub fn faults(self) -> &'static [(u64, Fault)] {
        use Fault::{
            CrashAfter, CrashBefore, Delayed, DiskOpen, DiskRead, DiskWrite, Fenced, LostReply, Refused, Retriable, Stalled,
        };
        match self {
            Call::MemberPoll => &[(2, Retriable), (1, CrashBefore), (1, CrashAfter), (2, Delayed)],
            Call::MemberAssign | Call::MemberUnassign | Call::MemberLeave => &[(1, CrashBefore), (1, CrashAfter), (2, Delayed)],
            Call::ReaderAssign | Call::ReaderUnassign | Call::ReaderPause => &[(1, CrashBefore), (1, CrashAfter)],
            Call::ReaderPoll => &[(4, Retriable), (1, CrashBefore), (1, CrashAfter), (4, Delayed), (2, Stalled)],
            Call::ReaderCommitted | Call::ReaderEnds => &[(4, Retriable), (1, CrashBefore), (4, Delayed), (1, Stalled)],
            Call::ProducerOpen => &[(1, Retriable), (1, CrashBefore)],
            Call::ProducerInit => &[(2, Retriable), (2, LostReply), (1, Fenced), (1, CrashBefore), (1, CrashAfter), (2, Delayed)],
            Call::ProducerBegin => &[(1, Fenced), (1, CrashBefore), (1, CrashAfter)],
            Call::ProducerSend => &[
                (2, Retriable),
                (2, LostReply),
                (2, Refused),
                (2, Fenced),
                (1, CrashBefore),
                (1, CrashAfter),
                (2, Delayed),
                (2, Stalled),
            ],
            Call::ProducerCommit => &[
                (2, Retriable),
                (3, LostReply),
                (2, Refused),
                (2, Fenced),
                (3, CrashBefore),
                (4, CrashAfter),
                (6, Delayed),
                (4, Stalled),
            ],
            Call::ProducerAbort => {
                &[(2, Retriable), (2, LostReply), (2, Fenced), (1, CrashBefore), (1, CrashAfter), (2, Delayed)]
            }
            Call::AdminDelete => &[(1, Retriable), (1, LostReply), (1, CrashAfter), (1, Delayed)],
            Call::StoreOpen => &[(2, DiskOpen), (1, CrashBefore), (1, CrashAfter)],
            Call::StoreGet | Call::StoreScan | Call::StoreOffset => &[(1, DiskRead)],
            Call::StoreApply => &[(2, DiskWrite), (2, CrashBefore), (2, CrashAfter)],
            Call::StoreClear | Call::StoreFlush => &[(2, DiskWrite), (1, CrashBefore), (1, CrashAfter)],
        }
    }

    /// How often it may be met, in parts of the seed's rate: calls made for every record have a smaller part, or nothing would get anywhere.
    pub fn weight(self) -> (u64, u64) {
        match self {
            Call::StoreGet | Call::StoreScan => (1, 60),
            Call::ProducerSend => (1, 5),
            Call::MemberPoll | Call::ReaderPoll => (1, 8),
            Call::ProducerCommit => (6, 1),
            Call::ProducerAbort | Call::StoreApply => (3, 1),
            Call::StoreOpen | Call::StoreOffset | Call::ReaderAssign | Call::ReaderUnassign => (1, 3),
            _ => (1, 1),
        }
    }
}
