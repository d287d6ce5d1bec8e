//! From a topology to its manifest.

use std::collections::BTreeMap;

use super::{FORMAT, InputEntry, Manifest, OperatorEntry, RepartitionEntry, STATE_FORMAT, StoreEntry};
use crate::blueprint::{Blueprint, Plan};
use crate::inspect::StoreKind;
use crate::topology::{Changelog, Make, SourceRole};

/// Operations whose name is the user's.
const NAMED: [&str; 6] = ["rekey", "reduce", "window_reduce", "transform", "join", "left_join"];

impl Blueprint {
    /// The manifest without partition counts: no cluster is asked.
    pub fn manifest(&self) -> Manifest {
        build(self, None)
    }

    /// The topic in which the application keeps its manifest: one partition, compacted.
    pub fn control_topic(&self) -> String {
        control_topic(self.app())
    }
}

/// The name of an application's control topic.
pub fn control_topic(app: &str) -> String {
    format!("{app}-control")
}

impl Plan {
    /// The manifest, partition counts included.
    pub fn manifest(&self) -> Manifest {
        build(&self.blueprint, Some(self))
    }
}

fn build(blueprint: &Blueprint, plan: Option<&Plan>) -> Manifest {
    let graph = &blueprint.graph;
    let tasks = |part: usize| plan.and_then(|plan| plan.task_counts.get(part).copied());
    let mut manifest = Manifest {
        format: FORMAT,
        state_format: STATE_FORMAT,
        app: blueprint.app().to_owned(),
        inputs: BTreeMap::new(),
        operators: BTreeMap::new(),
        repartitions: BTreeMap::new(),
        stores: BTreeMap::new(),
        retired: BTreeMap::new(),
    };
    for (number, part) in blueprint.subtopologies.iter().enumerate() {
        for node in part.nodes.iter().map(|node| &graph.nodes[*node]) {
            match &node.make {
                Make::Source(source) => {
                    let types = source.types.clone();
                    let (topic, partitions) = (source.topic.to_string(), tasks(number));
                    if source.role == SourceRole::Repartition {
                        let name = node.name.trim_end_matches("-repartition-source").to_owned();
                        let (key, value, codec) = (types.key, types.value, types.codec);
                        manifest.repartitions.insert(name, RepartitionEntry { topic, key, value, codec, partitions });
                    } else {
                        let role = if source.role == SourceRole::Table { "table" } else { "stream" };
                        let (key, value, codec) = (types.key, types.value, types.codec);
                        manifest.inputs.insert(topic, InputEntry { role: role.into(), key, value, codec, partitions });
                    }
                }
                Make::Operator { operation, key, .. } if NAMED.contains(operation) => {
                    let mut stores: Vec<String> = node.stores.iter().map(|store| graph.stores[*store].name.clone()).collect();
                    stores.sort_unstable();
                    let (operation, key) = ((*operation).to_owned(), key.clone());
                    manifest
                        .operators
                        .insert(node.name.clone(), OperatorEntry { operation, key, stores, partitions: tasks(number) });
                }
                Make::Operator { .. } | Make::Sink(_) | Make::Delivery(_) => {}
            }
        }
        for store in &part.stores {
            let (name, entry) = store_entry(blueprint, *store, tasks(number));
            manifest.stores.insert(name, entry);
        }
    }
    manifest
}

fn store_entry(blueprint: &Blueprint, number: usize, partitions: Option<i32>) -> (String, StoreEntry) {
    let spec = &blueprint.graph.stores[number];
    let shape = spec.shape.clone();
    let owner = blueprint.graph.nodes.iter().find(|node| node.stores.contains(&number));
    let (Changelog::Own(topic) | Changelog::Source(topic)) = &spec.changelog;
    let millis = |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let entry = StoreEntry {
        operator: owner.map_or_else(|| spec.name.clone(), |node| node.name.clone()),
        kind: shape.kind,
        key: shape.key,
        entry: shape.entry,
        value: shape.value,
        codec: shape.codec,
        window_ms: shape.windows.map(|windows| millis(windows.size())),
        retention_ms: shape.windows.map(|windows| millis(windows.lifetime())),
        changelog: topic.to_string(),
        partitions,
    };
    debug_assert!(entry.kind != StoreKind::PerWindow || entry.window_ms.is_some(), "windows have a length");
    (spec.name.clone(), entry)
}
