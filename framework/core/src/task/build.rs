//! Makes a task from the plan.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::clock::Clock;
use super::due::TimedStore;
use super::letters::Letters;
use super::outputs::OutputTopic;
use super::queue::InputQueue;
use super::{Task, TaskId, TaskSink};
use crate::blueprint::Plan;
use crate::inspect::StoreKind;
use crate::operators::{Edge, Graph, Node};
use crate::port::{Checkpoint, Committed, OpenStore, StateStores};
use crate::record::{TopicName, TopicPartition};
use crate::state::{Limit, TaskState};
use crate::time::Timestamp;
use crate::topology::{Changelog, Make, NodeSpec, SinkSpec, SourceRole, SourceSpec, StoreSpec};

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
    /// A task whose stores are restored; `starts` has an entry per input topic. No record it writes may have more bytes than
    /// `largest_record`.
    pub(crate) fn build(
        plan: &Plan,
        id: TaskId,
        committed: Box<dyn StateStores>,
        starts: &BTreeMap<TopicName, InputStart>,
        checkpoints: Vec<Checkpoint>,
        largest_record: usize,
    ) -> Task {
        let graph = &plan.blueprint.graph;
        let (numbers, store_numbers) = plan.part_of(&id).map(|part| (&part.nodes[..], &part.stores[..])).unwrap_or_default();
        let local_node = |number: usize| numbers.iter().position(|n| *n == number).unwrap_or_default();
        let local_store = |number: usize| store_numbers.iter().position(|n| *n == number).unwrap_or_default();

        let (mut time, mut limits, mut sinks) = (Timestamp::MIN, Vec::new(), Vec::new());
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
                Make::Delivery(delivery) => {
                    sinks.push(TaskSink::new(&spec.name, delivery, plan.bounded()));
                    Some((delivery.make)(sinks.len() - 1))
                }
                Make::Sink(sink) => {
                    let partitions = plan.partitions.get(&sink.topic).copied().unwrap_or(1);
                    limits.push(limit(plan, &sink.topic, largest_record));
                    outputs.push(output(plan, sink, partitions));
                    Some((sink.make)(outputs.len() - 1, partitions))
                }
            };
            let stores: Vec<usize> = spec.stores.iter().map(|store| local_store(*store)).collect();
            timed.extend(timed_stores(plan, spec, local, &stores));
            let edges = spec.edges.iter().map(|edge| Edge { to: local_node(edge.to), ..*edge }).collect();
            nodes.push(Node { name: spec.name.clone(), operator: operator.map(RefCell::new), edges, stores });
        }
        let mut task = Task {
            letters: letters(plan, &id, largest_record),
            stores: plan.stores_of(&id).into_iter().map(|(store, changelog)| (store.name, changelog)).collect(),
            id,
            inputs,
            graph: Graph { nodes },
            state: state(plan, (store_numbers, &checkpoints), committed, limits, largest_record),
            checkpoints,
            launched: Default::default(),
            timed,
            outputs,
            sinks,
            // As committed: nothing that was due before is left, because firing and committing go together.
            time,
            limit: Timestamp::MAX,
            silent: false,
            follows: false,
            bounds: plan.bounded().cloned(),
            has_finished: false,
            skipped: Vec::new(),
            timer_policies: numbers.iter().map(|number| graph.timer_policies.get(number).copied().unwrap_or_default()).collect(),
            verdicts: Vec::new(),
            judged: Vec::new(),
            blamed: None,
        };
        task.expect_reads(plan, numbers, store_numbers);
        task.take_bounds_and_positions(starts);
        task
    }
}

/// Those of a node's stores that keep their entries by time; `stores` has all of them as the task numbers them.
fn timed_stores(plan: &Plan, spec: &NodeSpec, node: usize, stores: &[usize]) -> Vec<TimedStore> {
    let specs = spec.stores.iter().map(|store| &plan.blueprint.graph.stores[*store]);
    let timed = |(slot, (spec, store)): (usize, (&StoreSpec, &usize))| {
        // A window says all it has to say before it closes.
        let is_told = spec.shape.kind != StoreKind::PerWindow;
        spec.due_after.map(|delay| TimedStore { store: *store, node, slot, delay, is_told })
    };
    specs.zip(stores).enumerate().filter_map(timed).collect()
}

fn output(plan: &Plan, sink: &SinkSpec, partitions: i32) -> OutputTopic {
    let output = OutputTopic::new(Arc::clone(&sink.topic), sink.internal, partitions);
    match plan.bounded() {
        Some(bounds) => output.within(bounds, sink.belongs),
        None => output,
    }
}

fn limit(plan: &Plan, topic: &TopicName, largest_record: usize) -> Limit {
    Limit { topic: Arc::clone(topic), bytes: plan.limit_of(topic).min(largest_record) }
}

/// The state over a task's restored stores, and what its sinks' topics take.
fn state(
    plan: &Plan,
    (stores, checkpoints): (&[usize], &[Checkpoint]),
    committed: Box<dyn StateStores>,
    sinks: Vec<Limit>,
    largest_record: usize,
) -> TaskState {
    let stores = stores.iter().zip(checkpoints).map(|(number, checkpoint)| {
        let store = &plan.blueprint.graph.stores[*number];
        let changelog = match &store.changelog {
            Changelog::Own(topic) => Some(limit(plan, topic, largest_record)),
            Changelog::Source(_) => None,
        };
        // One whose changelog has never had a record is empty. A look into it would tell, too, but goes past all deletions there may be.
        let is_empty = checkpoint.offset == 0;
        (store.due_after.is_some(), changelog, is_empty)
    });
    TaskState::new(committed, stores, sinks)
}

/// Where a task's failed records go, if the application has a place for them.
fn letters(plan: &Plan, id: &TaskId, largest_record: usize) -> Option<Letters> {
    let topic = plan.blueprint.dead_letters.as_ref()?;
    let partitions = plan.partitions.get(topic).copied().unwrap_or(1);
    let limit = limit(plan, topic, largest_record).bytes;
    Some(Letters::new(plan.blueprint.app(), id.clone(), Arc::clone(topic), partitions, limit))
}

impl Task {
    fn take_bounds_and_positions(&mut self, starts: &BTreeMap<TopicName, InputStart>) {
        self.set_bounds();
        self.set_committed(starts);
    }

    /// What is committed already need not be committed again.
    fn set_committed(&mut self, starts: &BTreeMap<TopicName, InputStart>) {
        for input in &mut self.inputs {
            let start = starts.get(&input.partition.topic);
            // That a table has been read is news to those who come after.
            let start = start.filter(|_| input.role != SourceRole::Table || input.has_been_read);
            input.committed = start.map(|start| start.from.offset);
        }
    }

    /// Ends the inputs where a bounded run ends them. One with nothing to read never holds event time back.
    fn set_bounds(&mut self) {
        let Some(bounds) = &self.bounds else { return };
        for input in self.inputs.iter_mut().filter(|input| input.role != SourceRole::Repartition) {
            let span = bounds.span(&input.partition);
            input.end_at(span.end);
            match input.role {
                SourceRole::Table => input.gate = span.end,
                _ => input.sees = bounds.sees,
            }
            if span.is_empty() {
                input.clock.set_idle();
            }
        }
        // Where all have ended as committed, what follows from that was committed with it. To let event time pass everything once more would fire
        // the timers that were set when it did.
        self.has_finished = self.inputs.iter().all(InputQueue::has_ended);
    }
}

/// The queue of one input, at the position and time its predecessor committed, and the time the whole task had reached.
fn input(plan: &Plan, source: &SourceSpec, partition: i32, node: usize, start: Option<&InputStart>) -> (InputQueue, Timestamp) {
    let partition = TopicPartition { topic: Arc::clone(&source.topic), partition };
    let mut clock = Clock::new(source.role, source.out_of_orderness, plan.lanes_of(&source.topic));
    let reached = clock.adopt(start.map_or("", |start| &start.from.metadata));
    let position = start.map_or(0, |start| start.from.offset);
    let gate = if source.role == SourceRole::Table { start.map_or(0, |start| start.end) } else { 0 };
    let policy = source.policy.unwrap_or_default();
    let mut input = InputQueue::new(partition, source.role, policy, node, (source.make)(), clock, position, gate);
    (input.max_future, input.sees) = (source.max_future, source.sees);
    input.has_been_read = start.is_some_and(|start| !start.from.metadata.is_empty());
    if source.is_history {
        input.end_at(start.map_or(0, |start| start.end));
    }
    (input, reached)
}
