//! Handing an application over from one generation of it to the next at an agreed cut, as the control topic tells it.
//!
//! A generation is a version of the application with state of its own, under a name of its own (see [`bounded`](crate::bounded)). The new one
//! follows the old one in silence and never gets ahead of it. Then the old one stops where it is, finishes what is on its way, and that is the cut: everything before it
//! has been said by the old one, everything after it will be said by the new one. Each step is a record; a process that has not seen a record
//! yet does nothing that would be wrong after it:
//!
//! 1. `Requested`: the old generation holds its inputs. Each of its processes confirms the partitions it has, of inputs and of repartition topics, once it has
//!    committed them under the request with all that follows: what it processed, and what its tasks know of event time told to everybody.
//!    A process that takes a partition over later looks at the record first, so that confirmed positions do not move.
//! 2. `Sealed`: nothing is on its way in the old generation, and the new one has processed exactly as much. Both hold everything; the new one takes up
//!    the old one's event time, and confirms.
//! 3. `Promoted`: from here on the old generation is over, and the new one speaks. Nobody else may have given up in between: whoever writes a step
//!    writes it only if the step before it is the newest.
//!
//! `Aborted` may follow the first two: then nothing has happened.
//!
//! **Event time** has its cut like offsets have. Under a request a transaction of the old generation tells everybody what its tasks know of event time, by
//! markers, together with the positions that this follows from; and no input becomes idle. So once each of its tasks has committed under the request and
//! everything in its repartition topics is consumed, nobody knows anything that others do not: time has come as far as it ever will. A task that begins again
//! tells only what was told before. The new generation's time, task by task, never passes what the old one has committed, whatever it takes for idle
//! by itself, so it falls silent on nothing that the old one has not said; at the cut it takes up the old one's time, lane by lane, so it
//! does not say again what the old one has. What is due after that is said from `Promoted` on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::{Clocks, Hold, Posture};
use crate::record::TopicPartition;
use crate::time::Timestamp;

/// How far a hand-over has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// The old generation is asked to hold its inputs.
    Requested,
    /// The cut is reached by both; the new generation holds everything.
    Sealed,
    /// The new generation has taken over.
    Promoted,
    /// It was given up, and the old generation goes on.
    Aborted,
}

/// A hand-over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    /// Version of this record.
    pub version: u32,
    /// Tells this attempt from others: when it began.
    pub attempt: Timestamp,
    /// The old generation: the name it runs under.
    pub from: String,
    /// The new one.
    pub to: String,
    /// How far it has got.
    pub step: Step,
    /// Whether nobody ran the old generation when the cut was sealed, so that nobody has confirmed it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unattended: bool,
}

/// What one process has confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Version of this record.
    pub version: u32,
    /// Of this attempt.
    pub attempt: Timestamp,
    /// In this step.
    pub step: Step,
    /// The partitions it holds, as `topic` and partition.
    pub partitions: BTreeSet<(String, i32)>,
}

/// Which side of a hand-over a process is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// It runs the generation in force.
    Old,
    /// It runs one that has not taken over yet, and is silent until then if it writes into the same outputs.
    New {
        /// Whether nothing is said before it has taken over.
        silent: bool,
    },
}

/// What a new generation knows of the old one.
#[derive(Clone, Debug, Default)]
pub struct Following {
    /// How far it may go: what the old one has committed of each input.
    pub fences: Arc<BTreeMap<TopicPartition, i64>>,
    /// How far event time may go: what the old one has committed of it. As long as that is not known nothing is processed.
    pub limits: Option<Clocks>,
    /// The same at the cut of the attempt that began then. It is taken up: the old one may have taken an input for idle, or the other way round.
    pub clocks: Option<(Timestamp, Clocks)>,
}

/// What follows for a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Work like this. `confirm` says in which step of the hand-over to confirm what is held, once all of it is committed.
    Work {
        /// How.
        posture: Posture,
        /// What to confirm.
        confirm: Option<Step>,
    },
    /// The application has been handed over to this generation: stop.
    Retire {
        /// The generation.
        to: String,
    },
}

impl Handover {
    /// Version of the records this writes.
    pub const VERSION: u32 = 1;

    /// What a process of generation `own` does; for a new one, `following` says what it knows of the old one.
    pub fn duty(handover: Option<&Handover>, own: &str, side: &Side, following: &Following) -> Duty {
        let step = |handover: &Handover| (handover.step, handover.from == own, handover.to == own);
        let attempt = handover.map(|handover| handover.attempt);
        let work = |hold, confirm| {
            let attempt = attempt.filter(|_| hold != Hold::Nothing);
            Duty::Work { posture: Posture { hold, attempt, ..Posture::default() }, confirm }
        };
        let follow = |silent| {
            let (fences, limits) = (Some(Arc::clone(&following.fences)), following.limits.clone());
            let hold = if limits.is_some() { Hold::Nothing } else { Hold::Everything };
            // The old one stands meanwhile.
            let attempt =
                attempt.filter(|_| handover.is_some_and(|handover| handover.step == Step::Requested && handover.to == own));
            Duty::Work {
                posture: Posture { hold, attempt, fences, limits, silent, follows: true, ..Posture::default() },
                confirm: None,
            }
        };
        let seal = |silent| {
            let clocks = following.clocks.as_ref().filter(|(known, _)| Some(*known) == attempt).map(|(_, clocks)| clocks.clone());
            // Not before the clocks are known: what is confirmed has them.
            let confirm = clocks.is_some().then_some(Step::Sealed);
            let posture = Posture { hold: Hold::Everything, attempt, clocks, silent, follows: true, ..Posture::default() };
            Duty::Work { posture, confirm }
        };
        match (handover.map(step), side) {
            (Some((Step::Promoted, _, true)), _) => work(Hold::Nothing, None),
            (Some((Step::Promoted, true, _)), _) => {
                Duty::Retire { to: handover.map(|handover| handover.to.clone()).unwrap_or_default() }
            }
            (Some((Step::Requested, true, _)), Side::Old) => work(Hold::Inputs, Some(Step::Requested)),
            // Nothing is left to do. Who starts only now must not say anything either.
            (Some((Step::Sealed, true, _)), Side::Old) => work(Hold::Everything, None),
            (Some((Step::Sealed, _, true)), Side::New { silent }) => seal(*silent),

            (_, Side::Old) => work(Hold::Nothing, None),
            (_, Side::New { silent }) => follow(*silent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(step: Option<Step>, own: &str, side: &Side, expected: &str) {
        let handover = step.map(|step| Handover {
            version: Handover::VERSION,
            attempt: Timestamp::from_millis(1),
            from: "app".into(),
            to: "app.v2".into(),
            step,
            unattended: false,
        });
        let clocks = Some((Timestamp::from_millis(1), Clocks::default()));
        let following = Following { fences: Arc::default(), limits: Some(Clocks::default()), clocks };
        let duty = match Handover::duty(handover.as_ref(), own, side, &following) {
            Duty::Retire { to } => format!("retires for {to}"),
            Duty::Work { posture, confirm } => {
                let fenced = if posture.fences.is_some() { ", fenced" } else { "" };
                let silent = if posture.silent { ", silent" } else { "" };
                let follows = if posture.follows { ", follows" } else { "" };
                format!("{:?}{fenced}{silent}{follows}, confirms {confirm:?}", posture.hold)
            }
        };
        assert_eq!(duty, expected, "{step:?} {own} {side:?}");
    }

    #[test]
    fn each_side_has_its_duty_in_each_step() {
        let (old, new, loud) = (Side::Old, Side::New { silent: true }, Side::New { silent: false });
        for step in [None, Some(Step::Aborted)] {
            check(step, "app", &old, "Nothing, confirms None");
            check(step, "app.v2", &new, "Nothing, fenced, silent, follows, confirms None");
            check(step, "app.v2", &loud, "Nothing, fenced, follows, confirms None");
        }
        check(Some(Step::Requested), "app", &old, "Inputs, confirms Some(Requested)");
        check(Some(Step::Requested), "app.v2", &new, "Nothing, fenced, silent, follows, confirms None");
        check(Some(Step::Sealed), "app", &old, "Everything, confirms None");
        check(Some(Step::Sealed), "app.v2", &new, "Everything, silent, follows, confirms Some(Sealed)");
        check(Some(Step::Promoted), "app", &old, "retires for app.v2");
        check(Some(Step::Promoted), "app.v2", &new, "Nothing, confirms None");
        check(Some(Step::Promoted), "app.v2", &old, "Nothing, confirms None");
        check(Some(Step::Sealed), "app.v3", &new, "Nothing, fenced, silent, follows, confirms None");
    }
}
