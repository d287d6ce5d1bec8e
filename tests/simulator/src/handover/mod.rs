//! Hand-overs: a sixth of the seeds. One generation works live; a second one, of the same topology, follows it in silence, asks for the cut and
//! takes over, while input keeps coming and faults hit either. Each process has a desk that is stepped like its workers are.

mod desk;
mod steps;
mod terms;

pub use desk::Seated;
pub use terms::Terms;

use std::sync::Arc;

use headwater_core::{Blueprint, Plan, StoredManifest, Timestamp, control_topic};
use headwater_runtime::backfill::{Request, begin, plan};
use headwater_testkit::{MemoryLog, prepare};

use crate::cases::{APP, Case};
use crate::ports::Facts;

/// The second generation.
const NEXT: &str = "app.v2";
/// The run it is.
const ID: &str = "v2";

/// A version of the application with state of its own.
pub struct Generation {
    pub plan: Arc<Plan>,
    pub facts: Arc<Facts>,
}

/// Writes down that a second generation is to follow the one of this plan, as operators do before they start it.
pub fn follow(case: &'static dyn Case, log: &MemoryLog, first: &Plan) -> Arc<Plan> {
    let topic = control_topic(APP);
    log.create_topic(&topic, 1);
    let write = |key: &str, value: &str| {
        log.append(&topic, 0, Some(key.as_bytes()), Some(value.as_bytes()), Timestamp::from_millis(0));
    };
    let (key, value) = StoredManifest::new(1, first.manifest()).record();
    write(key, &value);
    let draft =
        plan(first.blueprint(), log, &Request::then_live(ID), Timestamp::from_millis(0)).expect("everything can be followed");
    let (key, value) = draft.record.record();
    write(&key, &value);
    let blueprint = Blueprint::of(NEXT, |t| case.topology(t)).expect("the cases are valid");
    let next = prepare(&blueprint, log).expect("the inputs exist");
    begin(&blueprint, &draft.record, true, log).expect("nobody has begun");
    next
}
