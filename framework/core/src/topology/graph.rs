//! The graph a topology function describes: nodes in the order they were declared, so a node's successors come after it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::bounded::TimeRange;
use crate::inspect::{Shape, Types};
use crate::operators::{Edge, Operator, Source};
use crate::policy::Policy;
use crate::port::Sink;
use crate::reach::Reach;
use crate::record::TopicName;
use crate::replay::ReplayEffect;
use crate::task::Belongs;
use crate::window::Tumbling;

/// Makes a task's own instance of a node.
#[derive(Clone)]
pub(crate) enum Make {
    /// A topic's records enter here.
    Source(SourceSpec),
    /// Records are worked on here.
    Operator {
        /// The verb, as in the API.
        operation: &'static str,
        /// The type of the keys that come in.
        key: String,
        make: Arc<dyn Fn() -> Box<dyn Operator> + Send + Sync>,
    },
    /// Records leave for a topic here.
    Sink(SinkSpec),
    /// Records leave for a system outside of the log here.
    Delivery(DeliverySpec),
}

/// What a source's records mean for event time and state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceRole {
    /// Events: their timestamps move event time.
    Stream,
    /// The newest value per key: they move nothing.
    Table,
    /// Events of this application's own, carrying watermarks.
    Repartition,
}

#[derive(Clone)]
pub(crate) struct SourceSpec {
    pub(crate) topic: TopicName,
    pub(crate) role: SourceRole,
    /// How far behind the newest record an older one may come.
    pub(crate) out_of_orderness: Duration,
    /// None for a repartition topic that goes by the inputs behind it.
    pub(crate) policy: Option<Policy>,
    /// How far ahead of its append time a record's event time may be; none for any.
    pub(crate) max_future: Option<Duration>,
    pub(crate) types: Types,
    /// Whether event time is the record's timestamp, not something in its value.
    pub(crate) is_record_time: bool,
    /// Event time of the records that reach user code; for a stream.
    pub(crate) sees: TimeRange,
    /// Whether it is what another source's topic does not have of the past: it does not grow.
    pub(crate) is_history: bool,
    pub(crate) make: Arc<dyn Fn() -> Box<dyn Source> + Send + Sync>,
}

type MakeSink = Arc<dyn Fn(usize, i32) -> Box<dyn Operator> + Send + Sync>;

#[derive(Clone)]
pub(crate) struct SinkSpec {
    pub(crate) topic: TopicName,
    /// Whether it is a repartition topic of this application.
    pub(crate) internal: bool,
    /// Makes the operator, given the sink's number within the task and the topic's partition count.
    pub(crate) make: MakeSink,
    /// The moment a record written here belongs to, which decides whether a bounded run writes it.
    pub(crate) belongs: Belongs,
}

#[derive(Clone)]
pub(crate) struct DeliverySpec {
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) effect: ReplayEffect,
    /// Makes the operator, given the sink's number within the task.
    pub(crate) make: Arc<dyn Fn(usize) -> Box<dyn Operator> + Send + Sync>,
    /// The moment a record delivered here belongs to, which decides whether a bounded run delivers it.
    pub(crate) belongs: Belongs,
}

#[derive(Clone)]
pub(crate) struct NodeSpec {
    pub(crate) name: String,
    pub(crate) make: Make,
    /// Where its outputs go, by number of node in the whole graph.
    pub(crate) edges: Vec<Edge>,
    /// How far back its own state reaches.
    pub(crate) reach: Reach,
    /// The windows it keeps state by.
    pub(crate) windows: Option<Tumbling>,
    /// Its stores, by number in the whole graph. A store listed by several nodes keeps them in one task.
    pub(crate) stores: Vec<usize>,
}

/// What a store is restored from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Changelog {
    /// A changelog topic of its own.
    Own(TopicName),
    /// The topic the table is read from.
    Source(TopicName),
}

#[derive(Clone)]
pub(crate) struct StoreSpec {
    pub(crate) name: String,
    pub(crate) changelog: Changelog,
    /// For a time-ordered store: how long after its time an entry is due.
    pub(crate) due_after: Option<Duration>,
    /// What it holds.
    pub(crate) shape: Shape,
}

#[derive(Clone, Default)]
pub(crate) struct Graph {
    pub(crate) app: String,
    pub(crate) nodes: Vec<NodeSpec>,
    pub(crate) stores: Vec<StoreSpec>,
    /// What happens to timers that fail, by number of their node; [`Policy::Fail`] for the others.
    pub(crate) timer_policies: BTreeMap<usize, Policy>,
    /// The dead-letter topic, if the application names it.
    pub(crate) dead_letters: Option<TopicName>,
}

impl NodeSpec {
    /// A node that leads nowhere yet and keeps nothing.
    pub(crate) fn new(name: impl Into<String>, make: Make) -> NodeSpec {
        NodeSpec { name: name.into(), make, edges: Vec::new(), reach: Reach::NONE, windows: None, stores: Vec::new() }
    }
}

impl Graph {
    pub(crate) fn new(app: &str) -> Graph {
        Graph { app: app.to_owned(), ..Graph::default() }
    }

    /// Adds a node fed by output `output` of node `parent`.
    pub(crate) fn add_after(&mut self, parent: usize, output: usize, node: NodeSpec) -> usize {
        let id = self.add(node);
        self.connect(parent, output, id, 0);
        id
    }

    pub(crate) fn add(&mut self, node: NodeSpec) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    pub(crate) fn connect(&mut self, from: usize, output: usize, to: usize, port: usize) {
        self.nodes[from].edges.push(Edge { output, to, port });
    }

    /// Adds a store with a changelog topic of its own.
    pub(crate) fn add_store(&mut self, name: &str, due_after: Option<Duration>, shape: Shape) -> usize {
        let changelog = Changelog::Own(format!("{}-{name}-changelog", self.app).into());
        self.stores.push(StoreSpec { name: name.to_owned(), changelog, due_after, shape });
        self.stores.len() - 1
    }

    /// A name for a node whose user gave none. It appears in descriptions only and identifies nothing.
    pub(crate) fn label(&self, parent: usize, operation: &str) -> String {
        let base = format!("{}.{operation}", self.nodes[parent].name);
        let taken = |name: &str| self.nodes.iter().any(|node| node.name == name);
        if !taken(&base) {
            return base;
        }
        (2..).map(|n| format!("{base}~{n}")).find(|name| !taken(name)).unwrap_or(base)
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graph").field("app", &self.app).field("nodes", &self.nodes.len()).finish_non_exhaustive()
    }
}
