//! Starting over: positions, internal topics, local state and, on request, outputs. First a plan, which changes nothing and can be
//! shown; then the deed, which can be done again after it was cut short.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use headwater_core::port::{Admin, Committed, Log, LogError, MemberInfo, ReaderConfig, StoreError};
use headwater_core::{Blueprint, ControlState, ResetMark, StoreKind, Timestamp, TopicPartition};
use thiserror::Error;

use crate::RunError;
use crate::control::Control;

/// How long the control topic may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the inputs are to be read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The first offset there is when the application starts.
    Earliest,
    /// The end as of now.
    Latest,
    /// This offset in every partition.
    Offset(i64),
    /// The first record with this timestamp or a later one.
    Time(Timestamp),
    /// So many offsets on, or with a negative number back.
    Shift(i64),
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetRequest {
    /// The inputs whose positions change; none for all of them.
    pub inputs: Option<Vec<String>>,
    /// Where they are to begin.
    pub target: Target,
    /// Whether output topics are deleted, too.
    pub outputs: bool,
}

/// Why a reset cannot be.
#[derive(Debug, Clone, Error)]
pub enum ResetError {
    /// Somebody is at work.
    #[error("{}", in_use(group, members))]
    InUse {
        /// The group.
        group: String,
        /// Who.
        members: Vec<MemberInfo>,
    },
    /// An input named is none.
    #[error("{input:?} is no input of the topology, which reads {}", known.join(", "))]
    UnknownInput {
        /// The name.
        input: String,
        /// The inputs.
        known: Vec<String>,
    },
    /// An output is an input as well.
    #[error(
        "output {topic:?} is an input, too: it would have to be deleted and read again. Leave --outputs out, or delete it yourself"
    )]
    OutputIsInput {
        /// The topic.
        topic: String,
    },
    /// Bounded runs have left topics and positions.
    #[error(
        "backfills of {app:?} are still there: {}. A reset would forget them and leave their topics behind: remove each with `{app} backfill clean ID` first",
        ids.join(", ")
    )]
    RunsLeft {
        /// The application.
        app: String,
        /// The runs.
        ids: Vec<String>,
    },
    /// The cluster or the control topic failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The state directory failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<LogError> for ResetError {
    fn from(error: LogError) -> ResetError {
        RunError::from(error).into()
    }
}

fn in_use(group: &str, members: &[MemberInfo]) -> String {
    let name = |member: &MemberInfo| match &member.instance {
        Some(instance) => format!("static member {instance:?} at {}", member.host),
        None => format!("{} at {}", member.id, member.host),
    };
    let names: Vec<String> = members.iter().map(name).collect();
    let mut text = format!(
        "group {group:?} has members, and nothing can be reset while it is at work: {}. Stop them first",
        names.join(", ")
    );
    if members.iter().any(|member| member.instance.is_some()) {
        text.push_str("; a static member stays in the group after its process has stopped until its session ends (45 s by default): then wait for that");
    }
    text
}

/// A position and where it goes: none is no position, which means the first offset there is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Move {
    partition: TopicPartition,
    from: Option<i64>,
    to: Option<i64>,
}

/// What a reset will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reset {
    app: String,
    control: String,
    moves: Vec<Move>,
    /// Internal topics with the positions in them.
    internal: Vec<(String, Vec<TopicPartition>)>,
    outputs: Vec<String>,
    has_control: bool,
}

impl Reset {
    /// Looks at the cluster and decides. Internal topics are those that the topology, and the manifest of what ran before, name.
    pub fn plan(blueprint: &Blueprint, log: &dyn Log, request: &ResetRequest) -> Result<Reset, ResetError> {
        let (app, control) = (blueprint.app(), blueprint.control_topic());
        let inputs = blueprint.input_topics();
        let chosen = request.inputs.as_ref().unwrap_or(&inputs);
        if let Some(input) = chosen.iter().find(|input| !inputs.contains(input)) {
            return Err(ResetError::UnknownInput { input: input.clone(), known: inputs.clone() });
        }
        let mut outputs = if request.outputs { blueprint.output_topics() } else { Vec::new() };
        if let Some(topic) = outputs.iter().find(|topic| inputs.contains(topic)) {
            return Err(ResetError::OutputIsInput { topic: topic.clone() });
        }
        let state = Control::of(app, &control, log).read(PATIENCE)?;
        let runs: Vec<String> = state.iter().flat_map(|state| state.runs.keys().cloned()).collect();
        if !runs.is_empty() {
            return Err(ResetError::RunsLeft { app: app.to_owned(), ids: runs });
        }
        let mut internal: BTreeSet<String> = blueprint.internal_topic_names().into_iter().collect();
        internal.extend(state.iter().flat_map(topics_of).filter(|topic| !inputs.contains(topic)));
        let mut admin = log.admin()?;
        let internal = partitions(admin.as_mut(), internal.into_iter().collect())?;
        let there = partitions(admin.as_mut(), outputs.clone())?;
        outputs.retain(|topic| there.iter().any(|(found, _)| found == topic));
        let read: Vec<TopicPartition> =
            partitions(admin.as_mut(), chosen.clone())?.into_iter().flat_map(|(_, all)| all).collect();
        let moves = moves(app, log, admin.as_mut(), read, request.target)?;
        Ok(Reset { app: app.to_owned(), control, moves, internal, outputs, has_control: state.is_some() })
    }

    /// What would be done, a line for each thing.
    pub fn lines(&self) -> Vec<String> {
        let position = |position: Option<i64>| position.map_or_else(|| String::from("earliest"), |offset| offset.to_string());
        let moved = self
            .moves
            .iter()
            .map(|Move { partition, from, to }| format!("position  {partition}: {} -> {}", position(*from), position(*to)));
        let internal = self.internal.iter().map(|(topic, _)| topic).chain(self.has_control.then_some(&self.control));
        let deleted = internal.map(|topic| format!("delete    internal topic {topic}"));
        moved.chain(deleted).chain(self.outputs.iter().map(|topic| format!("delete    output topic {topic}"))).collect()
    }

    /// Who keeps the reset from being done now.
    pub fn check(&self, log: &dyn Log) -> Result<(), ResetError> {
        let members = log.admin()?.members(&self.app)?;
        if members.is_empty() { Ok(()) } else { Err(ResetError::InUse { group: self.app.clone(), members }) }
    }

    /// Does it; `local` removes the local state in its turn. While it is under way the control topic says so, and no process of the
    /// application starts. Cut short, it is to be done again.
    pub fn carry_out(&self, log: &dyn Log, local: impl FnOnce() -> Result<(), StoreError>) -> Result<(), ResetError> {
        let control = Control::of(&self.app, &self.control, log);
        control.create(None)?;
        let mark = ResetMark::new(self.internal.iter().map(|(topic, _)| topic.clone()).collect());
        let (key, value) = mark.record();
        let mut begun = false;
        control.update(PATIENCE, |state| {
            begun = state.reset.is_some();
            Ok(if begun { Vec::new() } else { vec![(key.into(), Some(value.clone()))] })
        })?;
        // After the mark: whoever joins from now on sees it before taking any task.
        if let Err(error) = self.check(log) {
            if !begun {
                control.update(PATIENCE, |_| Ok(vec![(key.into(), None)]))?;
            }
            return Err(error);
        }
        let mut admin = log.admin()?;
        let (set, removed): (Vec<&Move>, Vec<&Move>) = self.moves.iter().partition(|moved| moved.to.is_some());
        let at = |offset| Committed { offset, metadata: String::new() };
        let set: Vec<_> = set.into_iter().filter_map(|moved| Some((moved.partition.clone(), at(moved.to?)))).collect();
        let gone: Vec<TopicPartition> = removed
            .into_iter()
            .map(|moved| moved.partition.clone())
            .chain(self.internal.iter().flat_map(|(_, partitions)| partitions.iter().cloned()))
            .collect();
        admin.delete_positions(&self.app, &gone)?;
        admin.set_positions(&self.app, &set)?;
        let internal: Vec<String> = self.internal.iter().map(|(topic, _)| topic.clone()).collect();
        admin.delete(&internal)?;
        local()?;
        admin.delete(&self.outputs)?;
        // With it goes the mark.
        admin.delete(std::slice::from_ref(&self.control))?;
        Ok(())
    }
}

/// The internal topics that a control topic names: those of the version that ran, of stores it had given up, and of a reset begun.
fn topics_of(state: &ControlState) -> Vec<String> {
    let mut topics: Vec<String> = state.reset.iter().flat_map(|reset| reset.topics.clone()).collect();
    if let Some(kept) = &state.manifest {
        let stores = kept.manifest.stores.values().chain(kept.manifest.retired.values());
        topics.extend(stores.filter(|store| store.kind != StoreKind::TopicTable).map(|store| store.changelog.clone()));
        topics.extend(kept.manifest.repartitions.values().map(|repartition| repartition.topic.clone()));
    }
    topics
}

/// Those of the topics that exist, with their partitions.
fn partitions(admin: &mut dyn Admin, topics: Vec<String>) -> Result<Vec<(String, Vec<TopicPartition>)>, LogError> {
    let found: BTreeMap<String, _> = admin.describe(&topics)?;
    let all = |(topic, info): (String, headwater_core::port::TopicInfo)| {
        let partitions = TopicPartition::all_of(&topic, info.partitions);
        (topic, partitions)
    };
    Ok(found.into_iter().map(all).collect())
}

fn moves(
    app: &str,
    log: &dyn Log,
    admin: &mut dyn Admin,
    read: Vec<TopicPartition>,
    target: Target,
) -> Result<Vec<Move>, LogError> {
    let mut reader = log.reader(&ReaderConfig { group: app.to_owned(), read_uncommitted: false })?;
    let committed = reader.committed(&read)?;
    let ends = reader.ends(&read)?;
    let at: Vec<Option<i64>> = match target {
        Target::Time(time) => admin.offsets_at(&read.iter().map(|partition| (partition.clone(), time)).collect::<Vec<_>>())?,
        _ => vec![None; read.len()],
    };
    let mut moves = Vec::new();
    for (((partition, committed), ends), at) in read.into_iter().zip(committed).zip(ends).zip(at) {
        let from = committed.map(|committed| committed.offset);
        let to = match target {
            // Not the number: the log may be trimmed before the application starts.
            Target::Earliest => None,
            Target::Latest => Some(ends.end),
            Target::Offset(offset) => Some(offset),
            Target::Time(_) => Some(at.unwrap_or(ends.end)),
            Target::Shift(by) => Some(from.unwrap_or(ends.start).saturating_add(by)),
        };
        moves.push(Move { partition, from, to: to.map(|to| to.clamp(ends.start, ends.end)) });
    }
    Ok(moves)
}
