//! Coverage marks: situations that a run must really have been in, or its success says little. They are derived from what passes through the
//! ports and from the workers' reports, so the engine has no code for them.

macro_rules! marks {
    ($($name:ident $text:literal $says:literal)*) => {
        /// A situation worth having been in.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        pub enum Mark {
            $(#[doc = $says] $name,)*
        }

        impl Mark {
            /// All of them.
            pub const ALL: &[Mark] = &[$(Mark::$name),*];

            /// Its name in the summary.
            pub fn name(self) -> &'static str {
                match self { $(Mark::$name => $text),* }
            }

            /// When it is reached.
            pub fn says(self) -> &'static str {
                match self { $(Mark::$name => $says),* }
            }
        }
    };
}

marks! {
    RestoreWhole "restore: whole changelog" "a store without an offset begins to read its changelog from the log's start"
    RestoreTail "restore: tail only" "a store that kept its disk begins to read its changelog behind the log's start"
    RestoreBehindOpen "restore: open transaction before the end" "the end a restore is given lies beyond the last stable offset"
    RestoreInvisibleTail "restore: ends in invisible offsets" "the offsets that end a restore have no visible record: markers, aborted or compacted records"
    RestorePastEnd "restore: records beyond its end" "a poll brings records from beyond a restore's end"
    RestoreTombstone "restore: tombstone" "a restore reads a deletion"
    RestoreGap "restore: gap by compaction" "a restore reads over offsets that compaction removed between two records"
    RestoreInterrupted "restore: interrupted" "a task is given up while a changelog of it is being read"
    StoreRebuilt "store: rebuilt" "a store has an offset that its changelog does not have any more, and is emptied"
    StoreDiskOld "store: disk older than the last commit" "a crash takes a disk back behind what its task had applied"
    StoreReturned "store: returns to old disk" "a task is taken over on a disk that another process has overtaken meanwhile"
    TakeOverNoDisk "take-over: without disk" "a task whose input is partly processed is taken over on an empty disk"
    TakeOverDirty "take-over: predecessor's transaction open" "a transactional id is registered while its predecessor has a transaction open"
    AbortState "abort: with changelog records" "a transaction that has changelog records is aborted"
    AbortReplay "abort: and replay" "a transaction is aborted and its input processed again"
    TimedOut "transaction timed out" "a producer learns that the broker aborted its transaction after the timeout"
    CommitRefused "commit: refused by the group" "the group refuses the positions of a member it has put out"
    CommitHeldBack "commit: not attempted" "a commit is not attempted because a partition is no longer owned"
    CommitUnknown "commit: took effect, reply lost" "a commit takes effect and the caller is told that it is fenced"
    CommitCrash "commit: took effect, process died" "a commit takes effect and the process dies before its stores follow"
    CommitOvertaken "commit: others act before the reply" "another process commits between a commit's effect and its reply"
    RevokedDirty "rebalance: revoked with open transaction" "partitions are revoked while the process has a transaction open"
    LostDirty "rebalance: lost with open transaction" "partitions are lost while the process has a transaction open"
    AssignedBack "rebalance: assigned back" "a partition comes back to a process that gave it up earlier"
    StaticReturn "rebalance: static member returns" "a process that died or stopped takes its instance's place in the group again"
    PausedExpired "rebalance: expired while paused" "a member is put out of the group while its process stands still"
    Late "time: late record" "a record is late for its window and is dropped"
    Closed "time: entry of time removed" "a window closes or a timer fires"
    MarkerSent "time: marker sent" "event time is told to a partition without records"
    IdleTold "time: idle told" "a marker says that its lane is idle"
    IdleEnded "time: idle ended" "a lane that was idle speaks again"
    Undecodable "record: undecodable" "a record cannot be decoded and is skipped"
    Failed "record: failed" "user code fails on a record after it has written state; the record is skipped"
    Panicked "record: panicked" "user code panics on a record, which is skipped"
    Paused "input: paused by buffers" "a task has enough in memory and pauses a partition"
    Resumed "input: resumed" "a paused partition goes on"
    OutageCommit "outage: during a commit" "a commit meets brokers that do not answer"
    OutOfRange "reader: out of range" "a process reads from before the start, or beyond the end, of a log that was changed under it"
    EmptyStart "take-over: nothing committed" "a task starts whose input has no committed position"
    BoundedResumed "bounded: killed and resumed" "a process starts where all have died before a bounded run was complete"
    BoundedJoined "bounded: a member joins" "a process starts while others are at work on a bounded run"
    BoundedLeft "bounded: a member leaves" "a process stops while others are at work on a bounded run"
    BoundedEndTwice "bounded: end told twice" "an upstream task tells its end again that was told and committed before"
    BoundedEndKept "bounded: end taken over" "a task takes over from committed positions that upstream tasks have ended"
    BoundedBeyond "bounded: records beyond a span" "a poll brings records from beyond a span's end"
    BoundedBehindOpen "bounded: open transaction in a span" "a bounded run reads a span in which a transaction is open"
    BoundedInvisibleTail "bounded: span ends in invisible offsets" "a run is complete of which a span ends in markers, aborted or compacted records"
    BoundedPart "bounded: part of a partition" "a run is complete of which a span begins behind the log's start"
    BoundedEmpty "bounded: empty span" "a run is complete of which a span has no offsets"
    BoundedCompacted "bounded: compacted input" "a run is complete over an input that compaction has removed records of"
    BoundedClosed "bounded: windows closed at the end" "a run is complete whose end closes windows"
    BoundedSilent "bounded: nothing written" "a run is complete that writes no results"
    BoundedParity "bounded: compared with a live run" "a run over all of an input is complete and compared with a live run"
    BoundedOvertaken "bounded: overtaken by retention" "a process ends because records it had to read are deleted"
    BoundedTrimmed "bounded: complete in spite of retention" "a run is complete although records of its input were deleted while it was under way"
    HandoverRequested "hand-over: cut asked for" "a new generation is close and asks the old one to stand"
    HandoverSealed "hand-over: cut reached" "the old generation stands, and the new one has processed as much"
    HandoverPromoted "hand-over: taken over" "the new generation speaks from now on"
    HandoverAborted "hand-over: cut given up" "a cut takes too long and is given up"
    HandoverAgain "hand-over: taken over after a cut was given up" "the new generation takes over at a later attempt"
    HandoverCancelled "hand-over: cancelled" "somebody gives the new generation up before it takes over"
    HandoverKilled "hand-over: a process dies in a cut" "a process dies after the cut was asked for and before the new generation has taken over"
    HandoverStarted "hand-over: a process starts in a cut" "a process starts after the cut was asked for and before the new generation has taken over"
    HandoverLate "hand-over: work after it" "input comes when the new generation has taken over"
}
