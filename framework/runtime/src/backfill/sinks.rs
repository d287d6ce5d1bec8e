//! Which sinks a run reaches.

use std::collections::BTreeMap;

use headwater_core::Blueprint;
use headwater_core::bounded::{Mode, SinkUse};

use super::{BackfillError, Destination, Request};

/// How the run stands to each sink of the topology. Those that must not be reached are left out unless they are named.
pub(super) fn sinks(blueprint: &Blueprint, request: &Request) -> Result<BTreeMap<String, SinkUse>, BackfillError> {
    let declared = blueprint.sinks();
    let is_wanted = |name: &String| request.outputs.as_ref().is_none_or(|chosen| chosen.contains(name));
    if !request.allow_sinks.is_empty() && request.mode != Mode::Emit {
        return Err(BackfillError::NothingDelivered);
    }
    if !request.allow_sinks.is_empty() && request.then_live {
        return Err(BackfillError::DeliversAfterwards);
    }
    let named = request.outputs.iter().flatten().find(|name| declared.contains_key(*name));
    if let Some(name) = named.filter(|_| request.mode == Mode::Diff) {
        return Err(BackfillError::NotComparable { name: name.clone() });
    }
    for name in &request.allow_sinks {
        if !declared.contains_key(name) {
            let known = declared.into_keys().collect();
            return Err(BackfillError::Unknown { what: "sink", name: name.clone(), known });
        }
        if !is_wanted(name) {
            return Err(BackfillError::SinkLeftOut { name: name.clone() });
        }
    }
    let is_silent = request.mode != Mode::Emit || (request.then_live && request.destination == Some(Destination::Same));
    let used = |(name, replay)| {
        let used = SinkUse::of(replay, !is_silent && is_wanted(&name), request.allow_sinks.contains(&name));
        (name, used)
    };
    Ok(declared.into_iter().map(used).collect())
}
