//! Bounded runs: a third of the seeds. The input is there before, with what a log may have (aborted and open transactions, markers at
//! the tail, gaps by compaction, nothing at all); of each partition a span is read, and what stands before and behind it must not reach user
//! code. Processes come, go and die as in a live run, until the committed positions say that everything is done.

mod again;
mod end;
mod past;
mod retention;
mod terms;
mod verdict;

pub use past::Past;
pub use retention::is_overtaken;
pub use terms::Terms;

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_core::bounded::Bounded;
use headwater_core::{Plan, TopicName};
use headwater_testkit::MemoryLog;

use crate::cases::{self, APP, Item};
use crate::dice::Dice;
use crate::mutation::Mutation;
use crate::setup::Setup;

/// Writes the past of a bounded run and puts the plan within its bounds; what is left of the items comes while it runs. A live run stays as it is.
pub fn begin(
    setup: &Setup,
    dice: &mut Dice,
    log: &MemoryLog,
    mut items: Vec<Item>,
    plan: Arc<Plan>,
    mutation: Option<Mutation>,
) -> (Option<Past>, Vec<Item>, Arc<Plan>) {
    let Some(terms) = setup.bounded else { return (None, items, plan) };
    let later = if terms.parity {
        items.extend(cases::flush(setup.case.streams(), setup.partitions));
        Vec::new()
    } else {
        items.split_off(dice.between(items.len() as i64 / 2, items.len() as i64) as usize)
    };
    let past = Past::write(setup.case, terms, dice, log, &items, setup.partitions);
    let mut bounds = bounds(&past, terms, APP, &plan);
    if mutation == Some(Mutation::PastTheEnd) {
        for (partition, span) in &mut bounds.spans {
            span.end += i64::from(span.end < log.high_watermark(&partition.topic, partition.partition));
        }
    }
    let plan = plan.within(bounds);
    for output in plan.outputs() {
        log.create_topic(&output.topic, output.partitions);
    }
    (Some(past), later, plan)
}

/// Where a bounded run writes what the topology writes to `output`.
fn output_of(app: &str, output: &str) -> String {
    format!("{output}.{app}")
}

/// The bounds of a run of this name over these spans.
fn bounds(past: &Past, terms: Terms, app: &str, plan: &Plan) -> Bounded {
    let place = |output: &str| (!terms.silent).then(|| TopicName::from(output_of(app, output)));
    let outputs: BTreeMap<TopicName, Option<TopicName>> =
        plan.outputs().into_iter().map(|output| (output.topic.clone(), place(&output.topic))).collect();
    Bounded { finish: terms.finish, outputs, ..Bounded::of(past.spans.clone()) }
}
