//! A Mermaid flowchart: topics outside, sub-topologies as boxes, stores as cylinders. Topics being shared nodes, a
//! repartition topic joins the box that writes it with the box that reads it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use headwater_core::describe::{Description, NodeDescription, NodeKind, SubtopologyDescription};

pub(super) fn render(description: &Description) -> String {
    let mut chart = Chart { text: String::from("flowchart LR\n"), ids: BTreeMap::new() };
    for topic in topics(description) {
        let id = chart.id("topic", topic);
        chart.line(&format!("    {id}[/\"{}\"/]", label(topic)));
    }
    for subtopology in &description.subtopologies {
        chart.subtopology(subtopology);
    }
    for node in description.subtopologies.iter().flat_map(|s| &s.nodes) {
        chart.arrows(node);
    }
    chart.text
}

struct Chart {
    text: String,
    /// Mermaid's ids allow fewer characters than our names, so they are numbers.
    ids: BTreeMap<(&'static str, String), usize>,
}

impl Chart {
    fn line(&mut self, line: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{line}");
    }

    fn id(&mut self, kind: &'static str, name: &str) -> String {
        let next = self.ids.keys().filter(|(of, _)| *of == kind).count();
        let number = *self.ids.entry((kind, name.to_owned())).or_insert(next);
        format!("{kind}{number}")
    }

    fn subtopology(&mut self, subtopology: &SubtopologyDescription) {
        let id = self.id("sub", &subtopology.name);
        self.line(&format!("    subgraph {id}[\"{}\"]", label(&subtopology.name)));
        for node in &subtopology.nodes {
            let id = self.id("node", &node.name);
            match &node.kind {
                NodeKind::Source { .. } | NodeKind::Sink { .. } => {
                    self.line(&format!("        {id}([\"{}\"])", label(&node.name)))
                }
                NodeKind::Delivery { replay } => {
                    self.line(&format!("        {id}[[\"{}<br/>replay: {replay}\"]]", label(&node.name)))
                }
                NodeKind::Processor { operation, stores } => {
                    self.line(&format!("        {id}[\"{}<br/>{}\"]", label(&node.name), label(operation)));
                    for store in stores {
                        let store_id = self.id("store", store);
                        self.line(&format!("        {store_id}[(\"{}\")]", label(store)));
                    }
                }
            }
        }
        self.line("    end");
    }

    fn arrows(&mut self, node: &NodeDescription) {
        let id = self.id("node", &node.name);
        match &node.kind {
            NodeKind::Source { topic, .. } => {
                let topic = self.id("topic", topic);
                self.line(&format!("    {topic} --> {id}"));
            }
            NodeKind::Sink { topic, .. } => {
                let topic = self.id("topic", topic);
                self.line(&format!("    {id} --> {topic}"));
            }
            NodeKind::Delivery { .. } => {}
            NodeKind::Processor { stores, .. } => {
                for store in stores {
                    let store = self.id("store", store);
                    self.line(&format!("    {id} -.- {store}"));
                }
            }
        }
        for successor in &node.successors {
            let successor = self.id("node", successor);
            self.line(&format!("    {id} --> {successor}"));
        }
    }
}

/// The topics of all sources and sinks, each once, in the order of their first use.
fn topics(description: &Description) -> Vec<&str> {
    let mut topics: Vec<&str> = Vec::new();
    for node in description.subtopologies.iter().flat_map(|s| &s.nodes) {
        if let NodeKind::Source { topic, .. } | NodeKind::Sink { topic, .. } = &node.kind
            && !topics.contains(&topic.as_str())
        {
            topics.push(topic);
        }
    }
    topics
}

/// Text inside quotes.
fn label(text: &str) -> String {
    text.replace('#', "#35;").replace('"', "#quot;").replace('<', "#lt;").replace('>', "#gt;")
}
