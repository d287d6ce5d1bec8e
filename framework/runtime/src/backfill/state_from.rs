//! Beginning where another run ended, with the state that it left.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use headwater_core::bounded::{Finish, Mode, RunPhase, RunRecord};
use headwater_core::port::Log;
use headwater_core::{Blueprint, ControlState, Manifest, StoreKind, Timestamp, TopicPartition, Verdict};

use super::{BackfillError, Edge, Request};
use crate::control::{Control, PATIENCE};

/// What is asked for, with the edge at which the other run ended in place of "where that ended".
///
/// # Errors
/// There is no such run, it is not done, its state is not that of all there was before, or it ended elsewhere.
pub(super) fn settle(blueprint: &Blueprint, log: &dyn Log, request: &Request) -> Result<Request, BackfillError> {
    let Some(id) = &request.state_from else {
        let is_nowhere = request.from == Edge::State || request.to == Edge::State;
        return if is_nowhere { Err(BackfillError::StateOfNone) } else { Ok(request.clone()) };
    };
    let state = Control::of(blueprint.app(), &blueprint.control_topic(), log).state()?;
    let source = run(&state, id)?;
    let unfit = |why: String| BackfillError::StateUnfit { id: id.clone(), why };
    if source.then_live || source.phase != RunPhase::Done {
        return Err(unfit(format!("it is {}, and only a run that has come to its end has it", source.phase.as_str())));
    }
    if source.finish == Finish::CloseWindows {
        return Err(unfit("it closed all windows at its end, those that go on included (--finish close-windows)".into()));
    }
    let read = inputs(source);
    let wanted: BTreeSet<String> = request.inputs.clone().unwrap_or_else(|| blueprint.input_topics()).into_iter().collect();
    if read != wanted {
        return Err(unfit(format!("it read {}, and this one reads {}", listed(&read), listed(&wanted))));
    }
    if let Some(outputs) = source.asked.get("--outputs").filter(|outputs| request.asked.get("--outputs") != Some(outputs)) {
        return Err(unfit(format!("it had what the outputs {outputs} need only (--outputs)")));
    }
    let theirs = manifest(source, log)?;
    check_stores(id, &theirs, &blueprint.manifest())?;
    let from = if source.sees.to == Timestamp::MAX { offsets(blueprint, log, source)? } else { moment(source)? };
    if request.from != Edge::State && request.from != from {
        return Err(unfit(format!("it ended at {}, and this one begins at {}", shown(&from), shown(&request.from))));
    }
    Ok(Request { from, warmup: Some(Duration::ZERO), ..request.clone() })
}

/// A run of the application.
pub(super) fn run<'a>(state: &'a ControlState, id: &str) -> Result<&'a RunRecord, BackfillError> {
    let known = || state.runs.keys().cloned().collect();
    state.runs.get(id).ok_or_else(|| BackfillError::NoSuchRun { id: id.to_owned(), known: known() })
}

/// What a run keeps, partition counts included.
pub(super) fn manifest(source: &RunRecord, log: &dyn Log) -> Result<Manifest, BackfillError> {
    let topic = headwater_core::control_topic(&source.app);
    let kept = Control::of(&source.app, &topic, log).read(PATIENCE)?.and_then(|state| state.manifest);
    let gone = || BackfillError::StateUnfit {
        id: source.id.clone(),
        why: format!("topic {topic:?} does not say what it keeps (any more)"),
    };
    Ok(kept.ok_or_else(gone)?.manifest)
}

/// Refuses state of other stores, or of others' shape.
pub(super) fn check_stores(id: &str, theirs: &Manifest, ours: &Manifest) -> Result<(), BackfillError> {
    let named = |manifest: &Manifest| -> BTreeSet<String> {
        let own = manifest.stores.iter().filter(|(_, store)| store.kind != StoreKind::TopicTable);
        own.map(|(name, _)| name.clone()).collect()
    };
    let unfit = |why: String| BackfillError::StateUnfit { id: id.to_owned(), why };
    let (there, here) = (named(theirs), named(ours));
    if there != here {
        return Err(unfit(format!("it has the stores {}, and the topology has {}", listed(&there), listed(&here))));
    }
    let theirs = Manifest { app: ours.app.clone(), ..theirs.clone() };
    let changes = theirs.changes_to(ours).into_iter().filter(|change| change.verdict != Verdict::Compatible);
    let changes: Vec<String> = changes.map(|change| change.to_string()).collect();
    if changes.is_empty() { Ok(()) } else { Err(unfit(changes.join("; "))) }
}

/// The declared inputs of a run.
fn inputs(source: &RunRecord) -> BTreeSet<String> {
    let declared = |topic: &String| {
        let staged = source.staged.iter().find(|(_, staged)| *staged == topic);
        staged.map_or_else(|| topic.clone(), |(input, _)| input.clone())
    };
    source.spans.iter().map(|span| declared(&span.topic)).collect()
}

/// Where a run ended that goes by event time: what it read beyond that moment it did not use, so it is read again.
fn moment(source: &RunRecord) -> Result<Edge, BackfillError> {
    if source.mode == Mode::StateOnly {
        return Ok(Edge::Time(source.sees.to));
    }
    let why =
        "for its results it went on beyond the moment it ended at. --mode state-only leaves the state of a moment".to_owned();
    Err(BackfillError::StateUnfit { id: source.id.clone(), why })
}

/// Where a run ended that goes by offsets: in every partition of its streams, which must have no more of them by now.
fn offsets(blueprint: &Blueprint, log: &dyn Log, source: &RunRecord) -> Result<Edge, BackfillError> {
    if let Some((input, _)) = source.staged.first_key_value() {
        let why = format!("it read input {input} from a file to its end; only one that ended at a time goes on with a topic");
        return Err(BackfillError::StateUnfit { id: source.id.clone(), why });
    }
    let tables = blueprint.table_topics();
    let streams = source.spans.iter().filter(|span| !tables.contains(&span.topic));
    let ends: BTreeMap<TopicPartition, i64> =
        streams.map(|span| (TopicPartition::new(span.topic.as_str(), span.partition), span.span.end)).collect();
    let topics: BTreeSet<String> = ends.keys().map(|partition| partition.topic.to_string()).collect();
    for (topic, info) in log.admin()?.describe(&topics.into_iter().collect::<Vec<_>>())? {
        let new = TopicPartition::all_of(&topic, info.partitions).into_iter().find(|partition| !ends.contains_key(partition));
        if let Some(partition) = new {
            return Err(BackfillError::StateUnfit { id: source.id.clone(), why: format!("it did not know {partition}") });
        }
    }
    Ok(Edge::Offsets(ends))
}

fn listed(names: &BTreeSet<String>) -> String {
    if names.is_empty() { String::from("none") } else { names.iter().cloned().collect::<Vec<_>>().join(", ") }
}

fn shown(edge: &Edge) -> String {
    match edge {
        Edge::Earliest => String::from("the first offset there is"),
        Edge::Now => String::from("the end"),
        Edge::State => String::from("its end"),
        Edge::Time(time) => time.to_string(),
        Edge::Offsets(offsets) => {
            let named = offsets.iter().map(|(partition, offset)| format!("{}:{}={offset}", partition.topic, partition.partition));
            named.collect::<Vec<_>>().join(",")
        }
    }
}
