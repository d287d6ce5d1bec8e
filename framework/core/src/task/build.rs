//! Makes a task from the plan.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::clock::Clock;
use super::due::TimedStore;
use super::outputs::OutputTopic;
use super::queue::InputQueue;
use super::{Task, TaskId};
use crate::blueprint::Plan;
use crate::operators::{Edge, Graph, Node};
use crate::port::{Checkpoint, Committed, OpenStore, StateStores};
use crate::record::{TopicName, TopicPartition};
use crate::state::TaskState;
use crate::time::Timestamp;
use crate::topology::{Changelog, Make, SourceRole, SourceSpec};

/// Where an input of a task begins.
#[derive(Debug, Clone)]
pub(crate) struct InputStart {
    /// The offset to begin at and the time known there.
    pub(crate) from: Committed,
    /// The end of the partition at this moment; a table is read up to it before any stream proceeds.
    pub(crate) end: i64,
}

impl Plan {
    /// The stores of a task, in the order their numbers refer to.
    pub(crate) fn stores_of(&self, task: &TaskId) -> Vec<(OpenStore, Changelog)> {
        let stores = &self.blueprint.graph.stores;
        let numbers = self.part_of(task).map(|part| part.stores.as_slice()).unwrap_or_default();
        numbers
            .iter()
            .map(|number| &stores[*number])
            .map(|store| (OpenStore { name: store.name.clone() }, store.changelog.clone()))
            .collect()
    }
}

impl Task {
    /// A task whose stores are restored; `starts` has an entry per input topic.
    pub(crate) fn build(
        plan: &Plan,
        id: TaskId,
        committed: Box<dyn StateStores>,
        starts: &BTreeMap<TopicName, InputStart>,
        checkpoints: Vec<Checkpoint>,
    ) -> Task {
        let graph = &plan.blueprint.graph;
        let (numbers, store_numbers) = plan.part_of(&id).map(|part| (&part.nodes[..], &part.stores[..])).unwrap_or_default();
        let local_node = |number: usize| numbers.iter().position(|n| *n == number).unwrap_or_default();
        let local_store = |number: usize| store_numbers.iter().position(|n| *n == number).unwrap_or_default();

        let mut time = Timestamp::MIN;
        let (mut nodes, mut inputs, mut outputs, mut timed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (local, number) in numbers.iter().enumerate() {
            let spec = &graph.nodes[*number];
            let operator = match &spec.make {
                Make::Source(source) => {
                    let (input, reached) = input(plan, source, id.partition, local, starts.get(&source.topic));
                    inputs.push(input);
                    time = reached.max(time);
                    None
                }
                Make::Operator { make, .. } => Some(make()),
                Make::Sink(sink) => {
                    let partitions = plan.partitions.get(&sink.topic).copied().unwrap_or(1);
                    outputs.push(OutputTopic::new(Arc::clone(&sink.topic), sink.internal, partitions));
                    Some((sink.make)(outputs.len() - 1, partitions))
                }
            };
            for (slot, store) in spec.stores.iter().enumerate() {
                if let Some(delay) = graph.stores[*store].due_after {
                    timed.push(TimedStore { store: local_store(*store), node: local, slot, delay });
                }
            }
            nodes.push(Node {
                name: spec.name.clone(),
                operator: operator.map(RefCell::new),
                edges: spec.edges.iter().map(|edge| Edge { to: local_node(edge.to), ..*edge }).collect(),
                stores: spec.stores.iter().map(|store| local_store(*store)).collect(),
            });
        }
        let time_ordered: Vec<bool> = store_numbers.iter().map(|number| graph.stores[*number].due_after.is_some()).collect();
        let stores = plan.stores_of(&id).into_iter().map(|(store, changelog)| (store.name, changelog)).collect();
        let mut task = Task {
            id,
            inputs,
            graph: Graph { nodes },
            state: TaskState::new(committed, &time_ordered),
            stores,
            checkpoints,
            timed,
            outputs,
            // As committed: nothing that was due before is left, because firing and committing go together.
            time,
            skipped: Vec::new(),
        };
        for input in &mut task.inputs {
            // What is committed already need not be committed again.
            input.committed = starts.get(&input.partition.topic).map(|start| start.from.offset);
        }
        task
    }
}

/// The queue of one input, at the position and time its predecessor committed, and the time the whole task had reached.
fn input(plan: &Plan, source: &SourceSpec, partition: i32, node: usize, start: Option<&InputStart>) -> (InputQueue, Timestamp) {
    let partition = TopicPartition { topic: Arc::clone(&source.topic), partition };
    let mut clock = Clock::new(source.role, source.out_of_orderness, plan.lanes_of(&source.topic));
    let reached = clock.adopt(start.map_or("", |start| &start.from.metadata));
    let position = start.map_or(0, |start| start.from.offset);
    let gate = if source.role == SourceRole::Table { start.map_or(0, |start| start.end) } else { 0 };
    (InputQueue::new(partition, source.role, source.policy, node, (source.make)(), clock, position, gate), reached)
}
