use headwater_core::TopicPartition;
use headwater_core::bounded::RunPhase;
use headwater_core::port::{Ends, LogError, MemberInfo, StoreError};
use thiserror::Error;

use crate::RunError;

/// Why a backfill cannot be.
#[derive(Debug, Clone, Error)]
pub enum BackfillError {
    /// An input or output named is none.
    #[error("{name:?} is no {what} of the topology, which has {}", if known.is_empty() { String::from("none") } else { known.join(", ") })]
    Unknown {
        /// `input`, `output` or `sink`.
        what: &'static str,
        /// The name.
        name: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// State that reaches back without bound cannot be had from a range.
    #[error(
        "{}: what this says depends on everything since the beginning (a running total, or a transform without a `horizon`), which a range of time does \
         not have. Use --from earliest, or start with the state of a run that ended where this one begins: --state-from RUN; or leave it out: --outputs {}",
        outputs.join(", "), if others.is_empty() { "with others" } else { others }
    )]
    Unbounded {
        /// The outputs concerned.
        outputs: Vec<String>,
        /// The others, as the flag takes them.
        others: String,
    },
    /// Results would be written, and nobody said where.
    #[error(
        "where should results go? --output-suffix S writes them to topics of their own; --same-output --yes-same-output into the outputs themselves"
    )]
    NoDestination,
    /// Sinks are to be reached by a run that does not deliver anything.
    #[error("only --mode emit delivers to sinks: leave --allow-sinks out")]
    NothingDelivered,
    /// Sinks are to be reached by a run that delivers once it has taken over.
    #[error(
        "--then-live delivers to sinks like any live run once it has taken over, and to those that forbid replays not before: leave --allow-sinks out"
    )]
    DeliversAfterwards,
    /// A sink is to be reached and does not count.
    #[error("--allow-sinks names {name:?}, which --outputs leaves out: name it there, too, or leave it out here")]
    SinkLeftOut {
        /// The sink.
        name: String,
    },
    /// A sink is to be compared.
    #[error("--mode diff compares topics, and --outputs names the sink {name:?}, which cannot be read: leave it out")]
    NotComparable {
        /// The sink.
        name: String,
    },
    /// A run cannot start with another one's state.
    #[error("the state of backfill {id:?} is not what this run could start with: {why}")]
    StateUnfit {
        /// The other run.
        id: String,
        /// Why not.
        why: String,
    },
    /// It is to begin where another run ended, and none is named.
    #[error("a run begins where another one ended only with that one's state: name it with --state-from RUN")]
    StateOfNone,
    /// Another process began to copy the same state for the same run.
    #[error(
        "another process took over copying the state that backfill {id:?} starts with. The same command again joins in the work once that is done"
    )]
    StateElsewhere {
        /// The run.
        id: String,
    },
    /// The range is empty.
    #[error("the range is empty: it ends where it begins, or before")]
    Empty,
    /// An offset named is not in the log.
    #[error("{partition} has offsets {} to {}, and offset {offset} was asked for", log.start, log.end)]
    OutsideLog {
        /// Where.
        partition: TopicPartition,
        /// The offset.
        offset: i64,
        /// What there is.
        log: Ends,
    },
    /// A partition named is not one of an input that is read.
    #[error("{partition} is no partition of an input that is read")]
    NoSuchPartition {
        /// The partition.
        partition: TopicPartition,
    },
    /// A name that cannot be part of a topic's.
    #[error("{id:?} cannot be a run's id: use letters, digits, '-' and '_', at most 40 of them")]
    BadId {
        /// The name.
        id: String,
    },
    /// A run of this id was planned with other flags.
    #[error(
        "backfill {id:?} was planned with {flag} {was} and is asked for with {flag} {is}: a plan never changes. Resume it without the flag, or take another --id"
    )]
    PlannedOtherwise {
        /// The run.
        id: String,
        /// The flag.
        flag: String,
        /// Its value in the plan.
        was: String,
        /// Its value now.
        is: String,
    },
    /// It is over.
    #[error("backfill {id:?} is {}; `backfill clean {id}` removes what it left, and then the id is free", phase.as_str())]
    Over {
        /// The run.
        id: String,
        /// How it ended.
        phase: RunPhase,
    },
    /// There is no such run.
    #[error("there is no backfill {id:?}; there {}", if known.is_empty() { String::from("are none at all") } else { format!("are: {}", known.join(", ")) })]
    NoSuchRun {
        /// The run.
        id: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// It is the generation in force.
    #[error("backfill {id:?} has taken the application over: it is what runs now, and cannot be removed")]
    InForce {
        /// The run.
        id: String,
    },
    /// It would be heard before it has taken over.
    #[error(
        "output {topic:?} has records already. With --same-output the new version stays silent until it takes over; or give it outputs of its own in its topology"
    )]
    OutputInUse {
        /// The output.
        topic: String,
    },
    /// Somebody is at work.
    #[error("backfill {id:?} is being worked on by {} and cannot be removed: `backfill cancel {id}` first", hosts(members))]
    InUse {
        /// The run.
        id: String,
        /// Who.
        members: Vec<MemberInfo>,
    },
    /// A file cannot be read as an input; the text names the file, the row and the column.
    #[error("{0}")]
    File(String),
    /// The rows that were staged before are not those that the file has now.
    #[error(
        "{topic} has {rows} rows of a file for input {input:?} from an earlier try, and the file does not begin with them (any more). \
         Give it the file as it was, or begin anew with another --id"
    )]
    FileChanged {
        /// The input.
        input: String,
        /// The topic of the rows.
        topic: String,
        /// How many it has.
        rows: u64,
    },
    /// A run that goes on live was given a file for a table.
    #[error(
        "input {input:?} is a table: with --then-live it is read from its topic, which has its rows. Leave its file out, or write its rows into the topic first"
    )]
    TableFromFile {
        /// The input.
        input: String,
    },
    /// Another process began to stage the same file for the same run.
    #[error(
        "another process took over staging the file of input {input:?} for backfill {id:?}. The same command again joins in the work once that is done"
    )]
    StagedElsewhere {
        /// The run.
        id: String,
        /// The input.
        input: String,
    },
    /// The run, the cluster or the control topic failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The state directory failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<LogError> for BackfillError {
    fn from(error: LogError) -> BackfillError {
        RunError::from(error).into()
    }
}

fn hosts(members: &[MemberInfo]) -> String {
    members.iter().map(|member| format!("{} at {}", member.id, member.host)).collect::<Vec<_>>().join(", ")
}
