use std::collections::BTreeMap;

use super::TopologyError;
use crate::manifest::control_topic;
use crate::record::TopicName;
use crate::topology::{Graph, Make, NodeSpec, SourceRole};

/// Refuses what could not run or would lose its identity: bad or repeated names, a topic read twice.
pub(super) fn check(graph: &Graph) -> Result<(), TopologyError> {
    legal_name("application", &graph.app)?;
    let mut names = BTreeMap::new();
    let control = control_topic(&graph.app);
    for node in &graph.nodes {
        let what = match &node.make {
            Make::Source(source) => {
                legal_name("topic", &source.topic)?;
                not_control(&control, &source.topic)?;
                "an input"
            }
            Make::Operator { operation, .. } => operation,
            Make::Sink(sink) => {
                legal_name("topic", &sink.topic)?;
                not_control(&control, &sink.topic)?;
                continue;
            }
            Make::Delivery(_) => {
                legal_name("sink", &node.name)?;
                not_output(graph, &node.name)?;
                "a sink"
            }
        };
        if let Some(other) = names.insert(node.name.clone(), what) {
            return Err(TopologyError(format!(
                "the name {:?} is used twice (by {other} and by {what}); every name must be unique in the application, because state and internal topics are found by it",
                node.name
            )));
        }
    }
    let mut stores = BTreeMap::new();
    for store in &graph.stores {
        legal_name("store", &store.name)?;
        if stores.insert(&store.name, ()).is_some() {
            return Err(TopologyError(format!("there are two stores named {:?}; give one of them another name", store.name)));
        }
    }
    for node in &graph.nodes {
        if let Make::Operator { operation: "rekey" | "reduce" | "window_reduce" | "transform" | "join" | "left_join", .. } =
            node.make
        {
            legal_name("operator", &node.name)?;
        }
    }
    if !graph.nodes.iter().any(|node| matches!(&node.make, Make::Source(source) if source.role == SourceRole::Stream)) {
        return Err(TopologyError("the topology has no input: begin with `t.input::<Key, Event>(\"topic\")`".into()));
    }
    Ok(())
}

fn not_control(control: &str, topic: &str) -> Result<(), TopologyError> {
    if topic == control {
        return Err(TopologyError(format!(
            "{topic:?} is the application's own topic, where it keeps its manifest; use another topic"
        )));
    }
    Ok(())
}

/// `--outputs` names both.
fn not_output(graph: &Graph, name: &str) -> Result<(), TopologyError> {
    let is_topic = |make: &Make| matches!(make, Make::Sink(sink) if *sink.topic == *name);
    if graph.nodes.iter().any(|node| is_topic(&node.make)) {
        return Err(TopologyError(format!(
            "{name:?} is a sink and also a topic that is written; give the sink another name, because both are outputs and found by their names"
        )));
    }
    Ok(())
}

/// Refuses a dead-letter topic that is also something else: one that fails would write what it reads for ever.
pub(super) fn dead_letters(graph: &Graph, topic: Option<&TopicName>) -> Result<(), TopologyError> {
    let Some(topic) = topic else { return Ok(()) };
    legal_name("topic", topic)?;
    let used = |node: &NodeSpec| match &node.make {
        Make::Source(source) => source.topic == *topic,
        Make::Sink(sink) => sink.topic == *topic,
        Make::Delivery(_) => *node.name == **topic,
        Make::Operator { .. } => false,
    };
    if graph.nodes.iter().any(used) {
        return Err(TopologyError(format!(
            "topic {topic:?} takes the dead letters of this application, so it cannot be read or written by it otherwise; name another one with `t.dead_letters(\"...\")`"
        )));
    }
    Ok(())
}

/// Kafka's rule for topic names, applied to everything that becomes part of one or of a directory's name.
fn legal_name(what: &str, name: &str) -> Result<(), TopologyError> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || name == "." || name == ".." || name.len() > 200 || !name.chars().all(legal) {
        return Err(TopologyError(format!(
            "{name:?} cannot be the name of a {what}: use 1 to 200 ASCII letters, digits, '.', '_' and '-'"
        )));
    }
    Ok(())
}
