//! The way of each process through the inputs, noted by user code itself.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use headwater::{TopicName, TopicPartition, partition_for};
use headwater_kafka::KafkaLog;

use crate::operator::replays::stage::committed;

/// What a record takes the first process, once it has done a part and until the other one has begun: it must not be done by then.
const HELD_UP: Duration = Duration::from_millis(1);

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Who {
    First,
    Second,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Walked {
    /// Records each process handed to user code.
    pub steps: [u64; 2],
    /// Where each of them began, or began again.
    pub starts: [Vec<i64>; 2],
    /// Records that user code had seen before, in either.
    pub again: u64,
    /// What must not be: a beginning elsewhere than at the committed position.
    pub wrong: Vec<String>,
}

#[derive(Default)]
struct State {
    walked: Walked,
    /// By process and partition, the offset that comes next.
    next: BTreeMap<(usize, i32), i64>,
    /// By partition, behind the last record that any process had.
    reached: BTreeMap<i32, i64>,
    /// Whose positions count.
    group: String,
}

pub struct Walks {
    log: KafkaLog,
    input: TopicName,
    /// Partition and offset of each event, by its number.
    places: Vec<(i32, i64)>,
    state: Mutex<State>,
    begun: Condvar,
}

impl Walks {
    /// Of an input whose events were written in this order.
    pub fn new(log: KafkaLog, input: &TopicName, partitions: i32, keys: impl Iterator<Item = String>) -> Walks {
        let mut ends = vec![0; partitions as usize];
        let place = |key: String| {
            let partition = partition_for(Some(key.as_bytes()), partitions, 0);
            let end: &mut i64 = &mut ends[partition as usize];
            *end += 1;
            (partition, *end - 1)
        };
        let places = keys.map(place).collect();
        Walks { log, input: input.clone(), places, state: Mutex::default(), begun: Condvar::new() }
    }

    /// From now on it is this group's positions that count.
    pub fn watch(&self, group: &str) {
        *self.state.lock().unwrap() = State { group: group.to_owned(), ..State::default() };
    }

    /// A process has an event in its hands.
    pub fn step(&self, who: Who, number: u64) {
        let ((partition, offset), process) = (self.places[number as usize], who as usize);
        let mut state = self.state.lock().unwrap();
        let is_first_step = state.walked.steps[process] == 0;
        state.walked.steps[process] += 1;
        if state.next.insert((process, partition), offset + 1) != Some(offset) {
            let committed = committed(&self.log, &state.group, &TopicPartition::new(self.input.clone(), partition));
            state.walked.starts[process].push(offset);
            if offset != committed {
                let text = format!("{who:?} begins at {offset} of {}-{partition}, and {committed} is committed", self.input);
                state.walked.wrong.push(text);
            }
        }
        let reached = state.reached.entry(partition).or_default();
        let is_known = offset < *reached;
        *reached = (offset + 1).max(*reached);
        state.walked.again += u64::from(is_known);
        match who {
            Who::Second if is_first_step => self.begun.notify_all(),
            Who::First if state.walked.steps[process] > self.places.len() as u64 / 4 => {
                let alone = |state: &mut State| state.walked.steps[Who::Second as usize] == 0;
                drop(self.begun.wait_timeout_while(state, HELD_UP, alone).unwrap());
            }
            _ => {}
        }
    }

    pub fn conclude(&self) -> Walked {
        self.state.lock().unwrap().walked.clone()
    }
}
