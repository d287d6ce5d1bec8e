use std::collections::BTreeMap;

use headwater_core::handover::{Handover, Step};
use headwater_core::port::Committed;
use headwater_core::{ControlState, TopicPartition, control_topic};
use headwater_testkit::MemoryLog;

use crate::cases::APP;
use crate::ports::Facts;

/// Whose turn it is to speak: each record of the control topic counts from the moment its commit takes effect, whoever has seen it.
#[derive(Default)]
pub struct Turns {
    position: i64,
    state: ControlState,
    /// What the generation that was there first has committed.
    old: BTreeMap<TopicPartition, i64>,
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
    ) -> Vec<(&'static str, String)> {
        let state = self.look(log);
        let is_in_force = state.generation(APP) == facts.app;
        let is_cut = |handover: &Handover| handover.from == facts.app && matches!(handover.step, Step::Sealed | Step::Promoted);
        let is_behind_cut = state.handover.as_ref().is_some_and(is_cut);
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
        wrong
    }
}
