use std::any::Any;
use std::cell::RefCell;

use super::Operator;
use crate::failure::Failure;
use crate::state::TaskState;
use crate::time::Timestamp;

/// Where a node's output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    /// The output it leaves by.
    pub(crate) output: usize,
    /// The node it goes to, within the task.
    pub(crate) to: usize,
    /// The port it comes in by.
    pub(crate) port: usize,
}

/// One node of a task. Sources have no operator: the task drives them itself.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) operator: Option<RefCell<Box<dyn Operator>>>,
    pub(crate) edges: Vec<Edge>,
    /// The node's stores, as indices into the task's.
    pub(crate) stores: Vec<usize>,
}

/// A task's nodes. Edges lead forward only, so a record's way through it never meets a node twice.
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
}

/// One record's (or timer's) way through the nodes: where it is, and what it may touch.
pub(crate) struct Step<'t> {
    pub(crate) graph: &'t Graph,
    pub(crate) state: &'t mut TaskState,
    /// The node at work.
    pub(crate) node: usize,
    /// The record's event time.
    pub(crate) timestamp: Timestamp,
    /// The watermark the record carries; its lateness is judged by this and nothing else.
    pub(crate) watermark: Timestamp,
    /// The task's partition: where records without a key go.
    pub(crate) partition: i32,
}

impl Step<'_> {
    /// Hands a record to every node connected to `output` of the node at work.
    pub(crate) fn forward(&mut self, output: usize, key: &dyn Any, value: &dyn Any) -> Result<(), Failure> {
        self.forward_at(output, key, value, self.timestamp)
    }

    /// The same with another event time.
    pub(crate) fn forward_at(
        &mut self,
        output: usize,
        key: &dyn Any,
        value: &dyn Any,
        timestamp: Timestamp,
    ) -> Result<(), Failure> {
        let graph = self.graph;
        for edge in graph.nodes[self.node].edges.iter().filter(|edge| edge.output == output) {
            let Some(operator) = &graph.nodes[edge.to].operator else { continue };
            let mut next = Step { graph, state: self.state, node: edge.to, timestamp, ..*self };
            next.state.node = edge.to;
            let processed = operator.borrow_mut().process(edge.port, key, value, &mut next);
            self.state.node = self.node;
            processed.map_err(|failure| failure.at(edge.to))?;
        }
        Ok(())
    }

    /// The node at work's store number `slot`, as an index into the task's stores.
    pub(crate) fn store(&self, slot: usize) -> usize {
        self.graph.nodes[self.node].stores[slot]
    }

    /// The name of the node at work.
    pub(crate) fn name(&self) -> &str {
        &self.graph.nodes[self.node].name
    }
}
