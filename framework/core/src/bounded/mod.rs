//! A bounded run: the same topology over a fixed part of its inputs. What it reads, what user code sees of that, and what it may say
//! is settled before it begins and never changes, so that a run that is killed and resumed does the same work.
//!
//! A bounded run has an identity of its own: its blueprint carries another application name, from which group, transactional ids,
//! internal topics and state directories follow. Inside a task it differs from a live one in four places only: inputs end at
//! the span's end, records outside of the time seen move event time but reach no user code, outputs outside of the
//! time said are left out, and a task whose inputs have ended says so to the tasks behind it.

mod completion;
mod run_record;
mod sink_use;
mod time_range;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use completion::{Completion, InputProgress, Progress};
pub use run_record::{InputSpan, Mode, RunPhase, RunRecord};
pub use sink_use::{SinkStanding, SinkUse};
pub use time_range::TimeRange;

use crate::record::{TopicName, TopicPartition};
use crate::replay::ReplayEffect;
use crate::task::resumed;
use crate::time::Timestamp;

/// The offsets of one input partition that are read: `[start, end)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first offset read.
    pub start: i64,
    /// The first offset not read: a read-uncommitted end, or an offset in the log.
    pub end: i64,
}

impl Span {
    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.start >= self.end
    }
}

/// What the end of the inputs means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finish {
    /// Event time stays where the inputs left it: windows that are open stay open, as in a live run that has caught up.
    #[default]
    KeepOpen,
    /// Event time passes everything: every window closes and every timer fires.
    CloseWindows,
}

/// What a position that a run has come to its end at knows of event time, for another run to go on from there: the metadata to commit, of that
/// which was committed. Nothing has ended for that one, and nothing is idle.
pub fn clock_to_go_on(committed: &str) -> String {
    resumed(committed)
}

/// The bounds of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounded {
    /// Every partition of every stream and table input. One that is missing is not read at all.
    pub spans: BTreeMap<TopicPartition, Span>,
    /// Event time of the stream records that reach user code.
    pub sees: TimeRange,
    /// Event time of the results that may be written: a windowed one by its window's start, any other by its timestamp, which for
    /// what a timer sent is the timer's time.
    pub says: TimeRange,
    /// Timers and windows that are due later than this stay as they are, although event time may pass it: of a run whose state is wanted as of a
    /// moment, while records are read on that may still belong before it. What [`Finish::CloseWindows`] closes at the end is not meant.
    pub fires_until: Timestamp,
    /// What happens at the end.
    pub finish: Finish,
    /// Where outputs go instead: by declared topic, another topic, or none to write nothing.
    pub outputs: BTreeMap<TopicName, Option<TopicName>>,
    /// How it stands to sinks, by name. One that is not named gets nothing and is not opened.
    pub sinks: BTreeMap<String, SinkStanding>,
}

impl Bounded {
    /// All of these spans and everything they lead to, except that nothing is delivered to sinks.
    pub fn of(spans: BTreeMap<TopicPartition, Span>) -> Bounded {
        Bounded {
            spans,
            sees: TimeRange::ALL,
            says: TimeRange::ALL,
            fires_until: Timestamp::MAX,
            finish: Finish::KeepOpen,
            outputs: BTreeMap::new(),
            sinks: BTreeMap::new(),
        }
    }

    /// The span of a partition; empty if the run does not read it.
    pub fn span(&self, partition: &TopicPartition) -> Span {
        self.spans.get(partition).copied().unwrap_or(Span { start: 0, end: 0 })
    }

    /// How it stands to a sink. What that declares now counts, too: it may have become forbidden since the run was planned.
    pub fn sink(&self, name: &str, effect: ReplayEffect) -> SinkStanding {
        match self.sinks.get(name) {
            Some(SinkStanding::Connected) if effect == ReplayEffect::Forbidden => SinkStanding::Withheld,
            Some(standing) => *standing,
            None => SinkStanding::Silent,
        }
    }

    /// Where what the topology writes to `topic` goes; none if nowhere.
    pub fn output(&self, topic: &TopicName) -> Option<TopicName> {
        self.outputs.get(topic).map_or_else(|| Some(TopicName::clone(topic)), Option::clone)
    }
}
