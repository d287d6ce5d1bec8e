use expect_test::{Expect, expect};
use headwater_core::describe::{NodeDescription, NodeKind, SubtopologyDescription};

use super::*;

fn node(name: &str, kind: NodeKind, predecessors: &[&str], successors: &[&str]) -> NodeDescription {
    let owned = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
    NodeDescription { name: name.into(), kind, successors: owned(successors), predecessors: owned(predecessors) }
}

fn source(topic: &str, internal: bool) -> NodeKind {
    NodeKind::Source { topic: topic.into(), table: false, internal }
}

fn processor(operation: &str, stores: &[&str]) -> NodeKind {
    NodeKind::Processor { operation: operation.into(), stores: stores.iter().map(|store| store.to_string()).collect() }
}

fn sink(topic: &str, internal: bool) -> NodeKind {
    NodeKind::Sink { topic: topic.into(), internal }
}

/// Two sub-topologies that meet in a repartition topic.
fn flights() -> Description {
    Description {
        app: "flights".into(),
        subtopologies: vec![
            SubtopologyDescription {
                name: "flights".into(),
                nodes: vec![
                    node("flights", source("flights", false), &[], &["grounding", "by-origin"]),
                    node("grounding", processor("transform", &["departures", "week"]), &["flights"], &["grounded"]),
                    node("by-origin", processor("rekey", &[]), &["flights"], &["by-origin-sink"]),
                    node("grounded", sink("flights.grounded", false), &["grounding"], &[]),
                    node("by-origin-sink", sink("flights-by-origin-repartition", true), &["by-origin"], &[]),
                ],
            },
            SubtopologyDescription {
                name: "by-origin".into(),
                nodes: vec![
                    node("by-origin-source", source("flights-by-origin-repartition", true), &[], &["hourly"]),
                    node("hourly", processor("window", &["hourly"]), &["by-origin-source"], &[]),
                ],
            },
        ],
    }
}

fn check(format: Format, shown: Expect) {
    shown.assert_eq(&render(&flights(), format));
}

#[test]
fn text_is_that_of_kafka_streams() {
    check(
        Format::KafkaStreams,
        expect![[r#"
        Topologies:
           Sub-topology: 0
            Source: flights (topics: [flights])
              --> grounding, by-origin
            Processor: grounding (stores: [departures, week])
              --> grounded
              <-- flights
            Processor: by-origin (stores: [])
              --> by-origin-sink
              <-- flights
            Sink: grounded (topic: flights.grounded)
              <-- grounding
            Sink: by-origin-sink (topic: flights-by-origin-repartition)
              <-- by-origin

          Sub-topology: 1
            Source: by-origin-source (topics: [flights-by-origin-repartition])
              --> hourly
            Processor: hourly (stores: [hourly])
              --> none
              <-- by-origin-source

    "#]],
    );
}

#[test]
fn mermaid_is_a_flowchart() {
    check(
        Format::Mermaid,
        expect![[r#"
        flowchart LR
            topic0[/"flights"/]
            topic1[/"flights.grounded"/]
            topic2[/"flights-by-origin-repartition"/]
            subgraph sub0["flights"]
                node0(["flights"])
                node1["grounding<br/>transform"]
                store0[("departures")]
                store1[("week")]
                node2["by-origin<br/>rekey"]
                node3(["grounded"])
                node4(["by-origin-sink"])
            end
            subgraph sub1["by-origin"]
                node5(["by-origin-source"])
                node6["hourly<br/>window"]
                store2[("hourly")]
            end
            topic0 --> node0
            node0 --> node1
            node0 --> node2
            node1 -.- store0
            node1 -.- store1
            node1 --> node3
            node2 --> node4
            node3 --> topic1
            node4 --> topic2
            topic2 --> node5
            node5 --> node6
            node6 -.- store2
    "#]],
    );
}

#[test]
fn json_is_the_description() {
    let json: serde_json::Value = serde_json::from_str(&render(&flights(), Format::Json)).unwrap();
    assert_eq!(json["subtopologies"][0]["nodes"][1]["operation"], "transform");
    assert_eq!(json["subtopologies"][1]["nodes"][0]["internal"], true);
}

#[test]
fn labels_cannot_end_their_quotes() {
    let mut description = flights();
    description.subtopologies[0].name = "a \"b\" <c>".into();
    assert!(render(&description, Format::Mermaid).contains("subgraph sub0[\"a #quot;b#quot; #lt;c#gt;\"]"));
}

#[test]
fn formats_have_names() {
    assert_eq!(Format::named("text"), Some(Format::KafkaStreams));
    assert_eq!(Format::named("kafka-streams"), Some(Format::KafkaStreams));
    assert_eq!(Format::named("svg"), None);
}
