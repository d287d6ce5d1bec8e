//! A finished topology: checked, divided into sub-topologies, ready to be made into tasks. Shared by all threads.

mod check;
mod declared;
mod describe;
mod headers;
mod history;
mod partitions;
mod policies;
mod reaches;
mod reading;
mod subtopology;
mod writing;

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

pub use declared::DeclaredInput;
pub use partitions::{InternalTopic, Plan, PlanError, TaskId, TopicUse};
pub use reaches::InputTimes;
pub(crate) use subtopology::Subtopology;

use crate::record::TopicName;
use crate::topology::{Graph, Topology};

/// A checked topology of one application.
pub struct Blueprint {
    pub(crate) graph: Graph,
    pub(crate) subtopologies: Vec<Subtopology>,
    /// Where failed records go; none if no policy says so.
    pub(crate) dead_letters: Option<TopicName>,
}

impl fmt::Debug for Blueprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.graph.fmt(f)
    }
}

/// What is wrong with a topology, independent of any cluster.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct TopologyError(pub String);

impl Blueprint {
    /// Describes the topology of application `app` and checks it.
    pub fn of(app: &str, describe: impl FnOnce(&mut Topology)) -> Result<Arc<Blueprint>, TopologyError> {
        let mut topology = Topology::new(app);
        // The user's handles hold the graph; once the function returned, this one is the only one that matters.
        describe(&mut topology);
        let mut graph = topology.into_graph();
        policies::inherit(&mut graph);
        let dead_letters = policies::dead_letters(&graph);
        check::check(&graph)?;
        check::dead_letters(&graph, dead_letters.as_ref())?;
        let subtopologies = subtopology::divide(&graph);
        Ok(Arc::new(Blueprint { graph, subtopologies, dead_letters }))
    }

    /// The topic of failed records; none if no input, rekey or transform has [`Policy::DeadLetter`](crate::Policy::DeadLetter).
    pub fn dead_letter_topic(&self) -> Option<&TopicName> {
        self.dead_letters.as_ref()
    }

    /// The application's name: its consumer group and the prefix of its internal topics.
    pub fn app(&self) -> &str {
        &self.graph.app
    }
}
