use std::collections::BTreeMap;

use headwater_core::handover::{Handover, Step};
use headwater_core::port::Committed;
use headwater_core::{ControlState, Timestamp, TopicPartition, control_topic};
use headwater_testkit::MemoryLog;

use super::ledger::times;
use crate::cases::APP;
use crate::ports::Facts;

/// The name of what is wrong, and what it is.
type Wrong = (&'static str, String);

/// Whose turn it is to speak: each record of the control topic counts from the moment its commit takes effect, whoever has seen it.
#[derive(Default)]
pub struct Turns {
    position: i64,
    state: ControlState,
    /// What the generation that was there first has committed.
    old: BTreeMap<TopicPartition, i64>,
    /// What either generation has committed of event time, by topic without its name in front, and partition. The last time is that of the whole task.
    times: [BTreeMap<(String, i32), Vec<Option<i64>>>; 2],
    /// What would be wrong if this attempt at a hand-over were to succeed.
    excused: Vec<(Timestamp, Wrong)>,
    /// Whether the second one was seen to be in force.
    taken_over: bool,
}

impl Turns {
    pub fn look(&mut self, log: &MemoryLog) -> &ControlState {
        let topic = control_topic(APP);
        let end = log.last_stable_offset(&topic, 0);
        if self.position < end {
            for record in log.read_all(&topic, 0, true).iter().filter(|record| record.offset >= self.position) {
                let Some(key) = &record.key else { continue };
                self.state.apply(key, record.value.as_deref()).expect("only this version writes here");
            }
            self.position = end;
        }
        &self.state
    }

    /// A commit of positions took effect, and with it `said` results; answers what is wrong with it, by name.
    pub fn commits(
        &mut self,
        process: usize,
        facts: &Facts,
        log: &MemoryLog,
        positions: &[(TopicPartition, Committed)],
        said: usize,
    ) -> Vec<Wrong> {
        let state = self.look(log);
        let is_in_force = state.generation(APP) == facts.app;
        let is_cut = |handover: &Handover| handover.from == facts.app && matches!(handover.step, Step::Sealed | Step::Promoted);
        let is_behind_cut = state.handover.as_ref().is_some_and(is_cut);
        let attempt = state.handover.as_ref().map(|handover| (handover.attempt, handover.step));
        let unattended = state.handover.as_ref().is_some_and(|handover| handover.unattended);
        let excuse = attempt.filter(|(_, step)| facts.generation == 0 && unattended && *step == Step::Sealed);
        let mut wrong = Vec::new();
        if said > 0 && (!is_in_force || is_behind_cut) {
            wrong.push(("out of turn", format!("p{process} commits {said} results of {}, whose turn it is not", facts.app)));
        }
        for (partition, Committed { offset, .. }) in positions.iter().filter(|(one, _)| facts.outside.contains(&one.topic)) {
            if facts.generation == 0 {
                let before = self.old.insert(partition.clone(), *offset).unwrap_or(0);
                if is_behind_cut && before < *offset {
                    let text = format!("p{process} moves {partition} from {before} to {offset} behind the cut");
                    wrong.push(("cut", text));
                }
            } else if !is_in_force {
                let reached = self.old.get(partition).copied().unwrap_or(0);
                if reached < *offset {
                    let text =
                        format!("p{process} commits {offset} of {partition}, where the generation in force is at {reached}");
                    wrong.push(("ahead", text));
                }
            }
        }
        match (excuse, attempt) {
            // Somebody came before it was sealed in nobody's presence: it is to be given up, and then nothing has happened.
            (Some((attempt, _)), _) => self.excused.extend(wrong.drain(..).map(|wrong| (attempt, wrong))),
            (None, Some((attempt, Step::Promoted))) => {
                wrong.extend(self.excused.drain(..).filter(|(excused, _)| *excused == attempt).map(|(_, wrong)| wrong));
            }
            _ => {}
        }
        wrong.extend(self.time_moves(process, facts, is_in_force, positions));
        wrong
    }

    /// Event time has its cut like positions have: the new generation is never ahead of the old one, and not behind it when it takes over.
    fn time_moves(
        &mut self,
        process: usize,
        facts: &Facts,
        is_in_force: bool,
        positions: &[(TopicPartition, Committed)],
    ) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        if facts.generation == 1 && is_in_force && !std::mem::replace(&mut self.taken_over, true) {
            let [old, new] = &self.times;
            let known = |place, number: usize| new.get(place).and_then(|times| times.get(number).copied().flatten());
            let is_less = |place, old: &[Option<i64>]| old.iter().enumerate().any(|(number, old)| *old > known(place, number));
            if let Some((place, old)) = old.iter().find(|(place, old)| is_less(place, old)) {
                let text = format!("at the hand-over {place:?} is at {:?}, where it was at {old:?}", new.get(place));
                wrong.push(("behind", text));
            }
        }
        for (partition, Committed { metadata, .. }) in positions {
            let topic = partition.topic.strip_prefix(&facts.app).filter(|_| !facts.outside.contains(&partition.topic));
            let place = (topic.unwrap_or(&partition.topic).to_owned(), partition.partition);
            let (now, last) = (times(metadata), |times: &[Option<i64>]| times.last().copied().flatten());
            let old = self.times[0].get(&place).and_then(|times| last(times));
            if facts.generation == 1 && !is_in_force && last(&now) > old {
                let text =
                    format!("p{process} is at {:?} with {partition}, where the generation in force is at {old:?}", last(&now));
                wrong.push(("ahead", text));
            }
            self.times[facts.generation].insert(place, now);
        }
        wrong
    }
}
