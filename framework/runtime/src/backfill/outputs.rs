use std::collections::BTreeMap;

use headwater_core::Blueprint;
use headwater_core::bounded::Mode;
use headwater_core::port::Log;

use super::{BackfillError, Destination, Request, run_name};
use crate::control::Control;

/// What is behind the declared names of the outputs that have the application's results: a run that goes on live may give them another end, all
/// others go by the generation in force.
pub(super) fn output_suffix(blueprint: &Blueprint, log: &dyn Log, request: &Request) -> Result<Option<String>, BackfillError> {
    let in_force = || {
        let state = Control::of(blueprint.app(), &blueprint.control_topic(), log).state()?;
        Ok(state.output_suffix(blueprint.app()).map(str::to_owned))
    };
    match (&request.destination, request.mode) {
        (Some(Destination::Suffix(suffix)), _) => Ok(request.then_live.then(|| suffix.clone())),
        (Some(Destination::Same), _) | (None, Mode::Diff) => in_force(),
        // Nothing is looked up or written; or the topology names outputs that are new.
        (None, Mode::Emit | Mode::StateOnly) => Ok(None),
    }
}

/// Where each output goes. Behind the names of those that have the application's results is `suffix`.
pub(super) fn outputs(
    blueprint: &Blueprint,
    request: &Request,
    suffix: &str,
) -> Result<BTreeMap<String, Option<String>>, BackfillError> {
    let topics = blueprint.output_topics();
    let known: Vec<String> = topics.iter().cloned().chain(blueprint.sinks().into_keys()).collect();
    let chosen = request.outputs.as_ref().unwrap_or(&known);
    if let Some(name) = chosen.iter().find(|name| !known.contains(name)) {
        return Err(BackfillError::Unknown { what: "output", name: name.clone(), known });
    }
    let app = run_name(blueprint.app(), &request.id);
    let place = |topic: &String| -> Result<Option<String>, BackfillError> {
        let is_letters = blueprint.dead_letter_topic().is_some_and(|letters| **letters == **topic);
        match (request.mode, &request.destination) {
            _ if is_letters && request.then_live && blueprint.names_dead_letters() => Ok(Some(format!("{topic}{suffix}"))),
            // Dead letters are kept apart whatever the run says.
            _ if is_letters => Ok(Some(format!("{app}-dead-letters"))),
            (Mode::StateOnly, _) => Ok(None),
            _ if !chosen.contains(topic) => Ok(None),
            (Mode::Diff, _) => Ok(Some(format!("{app}-{topic}-diff"))),
            (Mode::Emit, Some(Destination::Suffix(suffix))) => Ok(Some(format!("{topic}{suffix}"))),
            (Mode::Emit, Some(Destination::Same)) => Ok(Some(format!("{topic}{suffix}"))),
            // It names its outputs itself.
            (Mode::Emit, None) if request.then_live => Ok(Some(topic.clone())),
            (Mode::Emit, None) => Err(BackfillError::NoDestination),
        }
    };
    topics.iter().map(|topic| Ok((topic.clone(), place(topic)?))).collect()
}
