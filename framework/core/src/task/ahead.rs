//! Which stores will be asked for the keys of the records that wait.

use std::collections::BTreeSet;

use super::Task;
use crate::blueprint::Plan;
use crate::port::StoreError;
use crate::topology::{Graph, NodeSpec};

impl Task {
    /// Has stores look up what the next `most` records of each input will ask for.
    pub(crate) fn look_ahead(&mut self, most: usize) -> Result<(), StoreError> {
        for input in self.inputs.iter().filter(|input| input.len() > 1 && !input.is_fenced()) {
            for store in &input.asks {
                self.state.look_ahead(*store, input.next_offset(), input.upcoming(most))?;
            }
        }
        Ok(())
    }

    /// Finds out which stores each input's records will be read from; the task's nodes and stores are given by their numbers in the whole graph. A store looks ahead
    /// for one input only: what it has found is told by offset.
    pub(super) fn expect_reads(&mut self, plan: &Plan, nodes: &[usize], stores: &[usize]) {
        let mut taken = BTreeSet::new();
        for input in &mut self.inputs {
            let asked = asked_behind(&plan.blueprint.graph, nodes[input.node]);
            let own = asked.into_iter().filter_map(|store| stores.iter().position(|number| *number == store));
            input.asks = own.filter(|store| taken.insert(*store)).collect();
        }
    }
}

/// The stores, by number in the whole graph, that nodes behind this one keep by key. Nodes hand keys on as they are: what changes them leads through a topic.
fn asked_behind(graph: &Graph, source: usize) -> BTreeSet<usize> {
    let (mut seen, mut stores) = (BTreeSet::from([source]), BTreeSet::new());
    let mut found = behind(&graph.nodes[source]);
    while let Some(node) = found.pop() {
        if seen.insert(node) {
            found.extend(behind(&graph.nodes[node]));
            stores.extend(by_key(graph, &graph.nodes[node]));
        }
    }
    stores
}

fn behind(node: &NodeSpec) -> Vec<usize> {
    node.edges.iter().map(|edge| edge.to).collect()
}

fn by_key<'a>(graph: &'a Graph, node: &'a NodeSpec) -> impl Iterator<Item = usize> + 'a {
    node.stores.iter().copied().filter(|store| graph.stores[*store].shape.kind.is_by_key())
}
