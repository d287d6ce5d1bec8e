//! Deliberate defects, most of them real ones of other systems. Each is built into the ports that the simulator gives to the engine, and must
//! be found: a check that finds nothing wrong with these would find nothing wrong with anything.

macro_rules! mutations {
    ($($name:ident $text:literal $says:literal)*) => {
        /// A deliberate defect.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mutation {
            $(#[doc = $says] $name,)*
        }

        impl Mutation {
            /// All of them.
            pub const ALL: &[Mutation] = &[$(Mutation::$name),*];

            /// Its name, for `MUTATE`.
            pub fn name(self) -> &'static str {
                match self { $(Mutation::$name => $text),* }
            }

            /// What is wrong.
            pub fn says(self) -> &'static str {
                match self { $(Mutation::$name => $says),* }
            }
        }
    };
}

mutations! {
    OffsetBeforeCommit "offset-before-commit" "a store's changelog offset is stored before the transaction commits"
    StateBeforeCommit "state-before-commit" "changes are applied to the store before the transaction commits"
    OffsetTooHigh "offset-too-high" "the changelog offset stored beside the state is beyond the records it stands for"
    RestoreToStable "restore-to-stable" "a restore ends at the last stable offset in place of the log's end"
    LastVisible "last-visible" "the position after a read is the last visible record's offset plus one, not past markers"
    TombstonesLost "tombstones-lost" "a restore passes over tombstones"
    PositionsOutside "positions-outside" "input positions are committed before the transaction, not in it"
    Unfenced "unfenced" "positions of a member that the group has put out are accepted"
    CommitAssumed "commit-assumed" "a commit that failed is taken for done"
    FreshMembership "fresh-membership" "the member rejoins before it tells that its partitions are lost, so its membership is fresher than what it owns"
    GivenBackEarly "given-back-early" "revoked partitions are given back before their tasks have committed"
    TimeForgotten "time-forgotten" "event time is not taken over with the committed position"
    MarkersLost "markers-lost" "bare markers, which carry event time to partitions without records, are lost"
    PastTheEnd "past-the-end" "a bounded run reads one offset more than it should of each partition"
    EndAssumed "end-assumed" "a bounded run is taken for complete when its inputs are read, whatever is on its way through repartition topics"
    EndsForgotten "ends-forgotten" "a bounded run forgets, when a task is taken over, which upstream tasks have ended"
    EndTimeLost "end-time-lost" "the event time that an upstream task of a bounded run ends with is lost"
    TrimmedOver "trimmed-over" "a bounded run goes on at the log's start when what it has to read is deleted"
    SealedAsPromoted "sealed-as-promoted" "a new generation takes the cut for the hand-over: it goes on before it has taken over"
    RetirementIgnored "retirement-ignored" "a generation that another one has taken over from goes on"
    FencesIgnored "fences-ignored" "a new generation passes what the old one has committed"
    SettledEarly "settled-too-early" "a process confirms a cut before its workers have heard of it"
    ClocksStripped "clocks-stripped" "a new generation does not get to know how far event time has come in the old one"
    StartsUnseen "starts-unseen" "tasks are started without a look at the newest record of a hand-over"
}

impl Mutation {
    /// The one of this name.
    pub fn named(name: &str) -> Option<Mutation> {
        Mutation::ALL.iter().copied().find(|mutation| mutation.name() == name)
    }
}
