//! What a topology looks like from outside: for `topology`, the admin page and the manifest. No types, no closures.

use serde::Serialize;

use crate::replay::ReplayEffect;

/// A whole topology.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Description {
    /// The application's name.
    pub app: String,
    /// The parts that communicate only through topics, in a stable order.
    pub subtopologies: Vec<SubtopologyDescription>,
}

/// One sub-topology: what one task runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SubtopologyDescription {
    /// Its name, taken from its first input: never a position.
    pub name: String,
    /// Its nodes, sources first, each before its successors.
    pub nodes: Vec<NodeDescription>,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeDescription {
    /// Unique in the topology.
    pub name: String,
    /// What it is.
    #[serde(flatten)]
    pub kind: NodeKind,
    /// Names of the nodes it hands records to.
    pub successors: Vec<String>,
    /// Names of the nodes it gets records from.
    pub predecessors: Vec<String>,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NodeKind {
    /// Reads a topic.
    Source {
        /// The topic read.
        topic: String,
        /// Whether it is read as a table (the newest value per key).
        table: bool,
        /// Whether the application makes this topic for itself (a repartition topic).
        internal: bool,
    },
    /// Does something with each record.
    Processor {
        /// The verb, as in the API: `map`, `filter`, `transform`, `join`, ...
        operation: String,
        /// Names of the stores it reads or writes.
        stores: Vec<String>,
    },
    /// Writes a topic.
    Sink {
        /// The topic written.
        topic: String,
        /// Whether the application makes this topic for itself (a repartition topic).
        internal: bool,
    },
    /// Delivers to a system outside of the log.
    Delivery {
        /// What a replay may do to it.
        replay: ReplayEffect,
    },
}
