use std::collections::BTreeMap;
use std::sync::Arc;

use super::Blueprint;
use crate::bounded::TimeRange;
use crate::time::Timestamp;
use crate::topology::{Make, SourceRole, SourceSpec};

impl Blueprint {
    /// The same topology with streams that begin elsewhere: `history` has, by declared topic, one with as many partitions that has the
    /// records before `until`. From then on they are the declared topic's. Both are read by the same tasks, in the order of event time.
    /// Nodes, stores and tasks keep their names.
    pub fn with_history(&self, history: &BTreeMap<String, String>, until: Timestamp) -> Arc<Blueprint> {
        let (mut graph, mut subtopologies) = (self.graph.clone(), self.subtopologies.clone());
        for number in 0..graph.nodes.len() {
            let Make::Source(source) = &mut graph.nodes[number].make else { continue };
            let Some(topic) = history.get(&*source.topic).filter(|_| source.role == SourceRole::Stream) else { continue };
            let before = SourceSpec {
                topic: topic.as_str().into(),
                sees: TimeRange { to: until, ..TimeRange::ALL },
                is_history: true,
                ..source.clone()
            };
            source.sees.from = until;
            let mut node = graph.nodes[number].clone();
            (node.name, node.make) = (topic.clone(), Make::Source(before));
            let part = subtopologies.iter_mut().find(|part| part.nodes.contains(&number));
            // A source leads elsewhere and nothing leads to it, so it may come last.
            part.into_iter().for_each(|part| part.nodes.push(graph.nodes.len()));
            graph.nodes.push(node);
        }
        Arc::new(Blueprint { graph, subtopologies, dead_letters: self.dead_letters.clone() })
    }

    /// The topics that have what others do not have of the past: they do not grow.
    pub fn history_topics(&self) -> Vec<String> {
        self.sources().filter(|source| source.is_history).map(|source| source.topic.to_string()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Topology;

    #[test]
    fn history_is_read_by_the_tasks_of_the_topic_it_belongs_to() {
        let blueprint = Blueprint::of("app", |t: &mut Topology| {
            let names = t.table::<String, String>("names");
            t.input::<String, u64>("events").join("named", &names, |_, name| name.clone()).to("named");
            t.input::<String, u64>("others").count("counts").to("counts");
        });
        let blueprint = blueprint.unwrap();
        let history = [("events", "app.x-events-file"), ("names", "a-table-has-none"), ("nothing", "more")];
        let history = history.map(|(declared, other)| (declared.to_owned(), other.to_owned())).into();
        let until = Timestamp::from_millis(7);
        let longer = blueprint.with_history(&history, until);
        let counts: BTreeMap<String, i32> =
            ["names", "events", "app.x-events-file", "others"].map(|topic| (topic.to_owned(), 2)).into();
        let (before, after) = (blueprint.plan(&counts).unwrap(), longer.plan(&counts).unwrap());
        assert_eq!(after.tasks(), before.tasks());
        let of_events = before.tasks().into_iter().find(|task| before.inputs_of(task).iter().any(|topic| &**topic == "events"));
        let of_events = of_events.unwrap();
        let read = |plan: &crate::Plan| plan.inputs_of(&of_events).iter().map(|topic| topic.to_string()).collect::<Vec<_>>();
        assert_eq!(read(&after), [read(&before), vec!["app.x-events-file".into()]].concat());
        assert_eq!(longer.history_topics(), ["app.x-events-file"]);
        let sees = |topic: &str| longer.sources().find(|source| &*source.topic == topic).map(|source| source.sees).unwrap();
        assert_eq!(sees("events"), TimeRange { from: until, ..TimeRange::ALL });
        assert_eq!(sees("app.x-events-file"), TimeRange { to: until, ..TimeRange::ALL });
        assert_eq!((sees("others"), sees("names")), (TimeRange::ALL, TimeRange::ALL));
    }
}
