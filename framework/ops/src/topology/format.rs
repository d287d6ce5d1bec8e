use headwater_core::describe::Description;

use super::{kafka_streams, mermaid};

/// How to show a topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The text of Kafka Streams' `Topology#describe()`: its visualisers read it.
    KafkaStreams,
    /// A Mermaid flowchart.
    Mermaid,
    /// The description as JSON.
    Json,
}

impl Format {
    /// The format of this name: `text` or `kafka-streams`, `mermaid`, `json`.
    pub fn named(name: &str) -> Option<Format> {
        match name {
            "text" | "kafka-streams" => Some(Format::KafkaStreams),
            "mermaid" => Some(Format::Mermaid),
            "json" => Some(Format::Json),
            _ => None,
        }
    }
}

/// Shows a topology, ending with a newline.
pub fn render(description: &Description, format: Format) -> String {
    match format {
        Format::KafkaStreams => kafka_streams::render(description),
        Format::Mermaid => mermaid::render(description),
        // A description is strings, lists and flags: nothing in it can fail to become JSON.
        Format::Json => serde_json::to_string_pretty(description).unwrap_or_default() + "\n",
    }
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
