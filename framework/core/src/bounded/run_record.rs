use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Bounded, Finish, SinkUse, Span, TimeRange};
use crate::blueprint::Blueprint;
use crate::port::Committed;
use crate::record::TopicPartition;
use crate::task::metadata_at;
use crate::time::Timestamp;

/// What becomes of a run's results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// They are written.
    Emit,
    /// They are not written; the run leaves its state.
    StateOnly,
    /// They are compared with the outputs that exist.
    Diff,
}

impl Mode {
    /// As the command's flag and its texts have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Emit => "emit",
            Mode::StateOnly => "state-only",
            Mode::Diff => "diff",
        }
    }
}

/// How far a run has got, as its record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunPhase {
    /// Its plan is made, and the state it starts with is not all there.
    Preparing,
    /// Its plan is made: it runs, or can be resumed.
    Planned,
    /// Everything is read and committed.
    Done,
    /// Somebody gave it up.
    Cancelled,
}

impl RunPhase {
    /// As texts have it.
    pub fn as_str(self) -> &'static str {
        match self {
            RunPhase::Preparing => "preparing",
            RunPhase::Planned => "planned",
            RunPhase::Done => "done",
            RunPhase::Cancelled => "cancelled",
        }
    }
}

/// The offsets of one partition that a run reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputSpan {
    /// The input.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// What is read of it.
    #[serde(flatten)]
    pub span: Span,
}

/// A bounded run as the application's control topic keeps it: what was asked for, and the plan that was made of it, which never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Version of this record.
    pub version: u32,
    /// The run's name among those of the application.
    pub id: String,
    /// The name under which it runs: of its group, transactional ids, internal topics and state directories.
    pub app: String,
    /// When the plan was made.
    pub made_at: Timestamp,
    /// What was asked for, by flag: a resumed run must not be asked for something else.
    pub asked: BTreeMap<String, String>,
    /// What becomes of results.
    pub mode: Mode,
    /// Inputs whose records come from files: by declared topic, the topic of the run's own that has them instead.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub staged: BTreeMap<String, String>,
    /// What is read, of every stream and table input; of a staged one, by the name of the topic that has it.
    pub spans: Vec<InputSpan>,
    /// Event time of the stream records that reach user code; of a run that goes on live, only of the rows of files.
    pub sees: TimeRange,
    /// Event time of the results that count.
    pub says: TimeRange,
    /// What the end of the inputs means.
    pub finish: Finish,
    /// Where outputs go: by declared topic, another topic, or none.
    pub outputs: BTreeMap<String, Option<String>>,
    /// What is behind the declared names of the outputs where the application's results are. A run that goes on live writes there, for as long as it
    /// is a generation; any other was planned while the generation in force did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_suffix: Option<String>,
    /// Sinks, by name. One that is not named, because it came later, is not delivered to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sinks: BTreeMap<String, SinkUse>,
    /// The run whose state this one starts with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_from: Option<String>,
    /// How far it has got.
    pub phase: RunPhase,
    /// Whether it goes on live and takes the application over.
    #[serde(default)]
    pub then_live: bool,
}

impl RunRecord {
    /// Version of the records this writes.
    pub const VERSION: u32 = 1;

    /// The topic of run `app` that the rows of a file are staged in for an input.
    pub fn staging_topic(app: &str, input: &str) -> String {
        format!("{app}-{input}-file")
    }

    /// The bounds of the engine's run.
    pub fn bounds(&self) -> Bounded {
        let span = |span: &InputSpan| (TopicPartition::new(span.topic.as_str(), span.partition), span.span);
        Bounded {
            spans: self.spans.iter().map(span).collect(),
            sees: self.sees,
            says: self.says,
            fires_until: self.fires_until(),
            finish: self.finish,
            outputs: self.outputs.iter().map(|(topic, to)| (topic.as_str().into(), to.as_deref().map(Into::into))).collect(),
            sinks: self.sinks.iter().map(|(sink, used)| (sink.clone(), used.standing)).collect(),
        }
    }

    /// What is due at the moment that a run for the state of it is asked for belongs behind it.
    fn fires_until(&self) -> Timestamp {
        match self.mode {
            Mode::StateOnly if self.sees.to != Timestamp::MAX => self.sees.to - Duration::from_millis(1),
            _ => Timestamp::MAX,
        }
    }

    /// Whether it is over or was given up.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, RunPhase::Done | RunPhase::Cancelled)
    }

    /// The topic that has the application's results for a declared output.
    pub fn live_output(&self, declared: &str) -> String {
        format!("{declared}{}", self.output_suffix.as_deref().unwrap_or_default())
    }

    /// The topology of a run that goes on live, of which `blueprint` has the declared one under the run's name: with its outputs, and with the rows
    /// of files as what its streams begin with. That of any other run is as it is declared.
    pub fn generation(&self, blueprint: &Arc<Blueprint>) -> Arc<Blueprint> {
        let suffix = self.output_suffix.as_ref().filter(|_| self.then_live);
        let blueprint = suffix.map_or_else(|| Arc::clone(blueprint), |suffix| blueprint.writing(suffix));
        match self.history() {
            Some((topics, until)) => blueprint.with_history(topics, until),
            None => blueprint,
        }
    }

    /// Streams that begin with the rows of files and go on live: by declared topic, the topic that has those rows; and the event time from
    /// which on records are the declared topic's.
    pub fn history(&self) -> Option<(&BTreeMap<String, String>, Timestamp)> {
        (self.then_live && !self.staged.is_empty()).then_some((&self.staged, self.sees.to))
    }

    /// Where the group of a run that goes on live begins: in each partition at the beginning of its span. A stream that continues history is
    /// known to have had everything before that moment, if it begins there by its records' timestamps (`is_record_time`).
    pub fn beginnings(&self, is_record_time: impl Fn(&str) -> bool) -> Vec<(TopicPartition, Committed)> {
        let clock = |topic: &str| match self.history() {
            Some((staged, until)) if staged.contains_key(topic) && is_record_time(topic) => metadata_at(until),
            _ => String::new(),
        };
        let beginning = |span: &InputSpan| {
            let committed = Committed { offset: span.span.start, metadata: clock(&span.topic) };
            (TopicPartition::new(span.topic.as_str(), span.partition), committed)
        };
        self.spans.iter().map(beginning).collect()
    }

    /// Offsets to be read, transaction markers included.
    pub fn offsets(&self) -> u64 {
        self.spans.iter().map(|span| u64::try_from(span.span.end - span.span.start).unwrap_or(0)).sum()
    }
}
