use std::collections::BTreeMap;
use std::time::Duration;

use headwater_core::bounded::{Finish, Mode};
use headwater_core::{Timestamp, TopicPartition};

use super::Staged;

/// One end of what is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edge {
    /// The first offset there is.
    Earliest,
    /// The end as of now.
    Now,
    /// Where the run ended whose state this one starts with.
    State,
    /// A moment of event time.
    Time(Timestamp),
    /// These offsets; partitions that are not named are not read.
    Offsets(BTreeMap<TopicPartition, i64>),
}

/// Where results go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Into topics of their own, named like the outputs with this behind.
    Suffix(String),
    /// Into the outputs themselves.
    Same,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The run's name.
    pub id: String,
    /// Where it begins.
    pub from: Edge,
    /// Where it ends; that moment or offset itself is not in it.
    pub to: Edge,
    /// The inputs that are read; none for all of them.
    pub inputs: Option<Vec<String>>,
    /// Inputs whose records come from files, by topic: read whole, whatever the range says of offsets.
    pub staged: BTreeMap<String, Staged>,
    /// The run, done, whose state this one starts with: it begins where that ended.
    pub state_from: Option<String>,
    /// What becomes of results.
    pub mode: Mode,
    /// Where they go, if they are written.
    pub destination: Option<Destination>,
    /// How much before the range is read to have the state it needs; none for as much as the topology says.
    pub warmup: Option<Duration>,
    /// What the end of the inputs means.
    pub finish: Finish,
    /// The outputs that count, topics and sinks; none for all of them.
    pub outputs: Option<Vec<String>>,
    /// Sinks that are delivered to although they declare [`ReplayEffect::Forbidden`](headwater_core::ReplayEffect::Forbidden).
    pub allow_sinks: Vec<String>,
    /// Whether the run goes on live and takes the application over. Then it has no end, and times and offsets say where reading begins.
    pub then_live: bool,
    /// The same as it was written, by flag: kept with the plan, so that a resumed run is the same.
    pub asked: BTreeMap<String, String>,
}

impl Request {
    /// A run of this name over a range, with every other thing as it is where nothing is said: all inputs from their topics, as much before the
    /// range as the topology says, all outputs, [`Mode::Emit`], windows left open at the end. Where results go is for the caller to say.
    pub fn range(id: &str, from: Edge, to: Edge) -> Request {
        Request {
            id: id.to_owned(),
            from,
            to,
            inputs: None,
            staged: BTreeMap::new(),
            state_from: None,
            mode: Mode::Emit,
            destination: None,
            warmup: None,
            finish: Finish::KeepOpen,
            outputs: None,
            allow_sinks: Vec::new(),
            then_live: false,
            asked: BTreeMap::new(),
        }
    }

    /// A run of this name that begins with the earliest records, is silent into the outputs of the application until it takes it over, and goes on live.
    pub fn then_live(id: &str) -> Request {
        let destination = Some(Destination::Same);
        Request { destination, then_live: true, ..Request::range(id, Edge::Earliest, Edge::Now) }
    }
}
