use super::Blueprint;
use crate::describe::{Description, NodeDescription, NodeKind, SubtopologyDescription};
use crate::topology::{Make, SourceRole};

impl Blueprint {
    /// What the topology looks like from outside.
    pub fn describe(&self) -> Description {
        let subtopologies = self
            .subtopologies
            .iter()
            .map(|part| SubtopologyDescription {
                name: part.name.clone(),
                nodes: part.nodes.iter().map(|number| self.describe_node(*number)).collect(),
            })
            .collect();
        Description { app: self.app().to_owned(), subtopologies }
    }

    fn describe_node(&self, number: usize) -> NodeDescription {
        let nodes = &self.graph.nodes;
        let node = &nodes[number];
        let kind = match &node.make {
            Make::Source(source) => NodeKind::Source {
                topic: source.topic.to_string(),
                table: source.role == SourceRole::Table,
                internal: source.role == SourceRole::Repartition,
            },
            Make::Operator { operation, .. } => NodeKind::Processor {
                operation: (*operation).to_owned(),
                stores: node.stores.iter().map(|store| self.graph.stores[*store].name.clone()).collect(),
            },
            Make::Sink(sink) => NodeKind::Sink { topic: sink.topic.to_string(), internal: sink.internal },
            Make::Delivery(delivery) => NodeKind::Delivery { replay: delivery.effect },
        };
        let mut successors: Vec<String> = Vec::new();
        for edge in &node.edges {
            let name = &nodes[edge.to].name;
            if !successors.contains(name) {
                successors.push(name.clone());
            }
        }
        let feeds = |candidate: &&crate::topology::NodeSpec| candidate.edges.iter().any(|edge| edge.to == number);
        let predecessors = nodes.iter().filter(feeds).map(|parent| parent.name.clone()).collect();
        NodeDescription { name: node.name.clone(), kind, successors, predecessors }
    }
}
