use std::collections::BTreeMap;
use std::sync::Arc;

use super::Blueprint;
use crate::record::TopicName;
use crate::topology::{Changelog, Make, SourceRole};

impl Blueprint {
    /// The same topology reading other topics in place of declared inputs: `instead` has their names by those that are declared, and may
    /// name what is no input. Nodes, stores and tasks keep their names, which come from what was declared.
    pub fn reading(&self, instead: &BTreeMap<String, String>) -> Arc<Blueprint> {
        let mut graph = self.graph.clone();
        let other = |topic: &TopicName| instead.get(&**topic).map(|other| TopicName::from(other.as_str()));
        for node in &mut graph.nodes {
            if let Make::Source(source) = &mut node.make
                && source.role != SourceRole::Repartition
                && let Some(other) = other(&source.topic)
            {
                source.topic = other;
            }
        }
        for store in &mut graph.stores {
            if let Changelog::Source(topic) = &mut store.changelog
                && let Some(other) = other(topic)
            {
                *topic = other;
            }
        }
        // What divides it is edges and shared stores, which are as they were.
        Arc::new(Blueprint { graph, subtopologies: self.subtopologies.clone(), dead_letters: self.dead_letters.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Topology;

    #[test]
    fn other_topics_are_read_by_the_same_tasks() {
        let blueprint = Blueprint::of("app", |t: &mut Topology| {
            let events = t.input::<String, u64>("events");
            let names = t.table::<String, String>("names");
            events.join("named", &names, |_, name| name.clone()).to("events-named");
            events.count("counts").to("counts");
            t.input::<String, u64>("others").rekey("by", |value| *value).count("others-counts").to("counts-2");
        });
        let blueprint = blueprint.unwrap();
        let instead = [("events", "app.x-events-file"), ("names", "app.x-names-file"), ("nothing", "more")];
        let instead = instead.map(|(declared, other)| (declared.to_owned(), other.to_owned())).into();
        let other = blueprint.reading(&instead);
        assert_eq!(other.input_topics(), ["app.x-events-file", "app.x-names-file", "others"]);
        assert_eq!(other.table_topics(), ["app.x-names-file"]);
        assert_eq!(other.output_topics(), blueprint.output_topics());
        assert_eq!(other.internal_topic_names(), blueprint.internal_topic_names());
        let counts: BTreeMap<String, i32> = other.input_topics().into_iter().map(|topic| (topic, 2)).collect();
        let plan = other.plan(&counts).unwrap();
        let live = blueprint.plan(&blueprint.input_topics().into_iter().map(|topic| (topic, 2)).collect()).unwrap();
        assert_eq!(plan.tasks(), live.tasks());
        assert_eq!(*plan.inputs_of(&plan.tasks()[0])[0], *"app.x-events-file");
        // The table is restored from what it is read from.
        let changelog = &other.graph.stores.iter().find(|store| store.name == "names").unwrap().changelog;
        assert_eq!(*changelog, Changelog::Source("app.x-names-file".into()));
    }
}
