//! The text of Kafka Streams' `Topology#describe()`, to the letter: a heading with one space behind it, two spaces before each
//! sub-topology, four before each node, an empty line after each sub-topology.

use std::fmt::Write as _;

use headwater_core::describe::{Description, NodeDescription, NodeKind};

pub(super) fn render(description: &Description) -> String {
    let mut text = String::from("Topologies:\n ");
    for (number, subtopology) in description.subtopologies.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  Sub-topology: {number}");
        for node in &subtopology.nodes {
            text.push_str(&line(node));
        }
        text.push('\n');
    }
    text
}

fn line(node: &NodeDescription) -> String {
    let (name, next, previous) = (&node.name, names(&node.successors), names(&node.predecessors));
    match &node.kind {
        NodeKind::Source { topic, .. } => format!("    Source: {name} (topics: [{topic}])\n      --> {next}\n"),
        NodeKind::Processor { stores, .. } => {
            format!("    Processor: {name} (stores: [{}])\n      --> {next}\n      <-- {previous}\n", stores.join(", "))
        }
        NodeKind::Sink { topic, .. } => format!("    Sink: {name} (topic: {topic})\n      <-- {previous}\n"),
        // Kafka Streams knows topics only; this is the nearest to it.
        NodeKind::Delivery { replay } => format!("    Sink: {name} (outside of Kafka, replay: {replay})\n      <-- {previous}\n"),
    }
}

fn names(nodes: &[String]) -> String {
    if nodes.is_empty() { String::from("none") } else { nodes.join(", ") }
}
