use std::sync::Arc;

use super::Blueprint;
use crate::record::TopicName;
use crate::topology::Make;

impl Blueprint {
    /// The same topology writing to topics named like its outputs with `suffix` behind, a dead-letter topic that the application names included. Where
    /// it names none, that is called after the application, and stays. Nodes, stores and tasks keep their names.
    pub fn writing(&self, suffix: &str) -> Arc<Blueprint> {
        let mut graph = self.graph.clone();
        let other = |topic: &TopicName| TopicName::from(format!("{topic}{suffix}"));
        for node in &mut graph.nodes {
            if let Make::Sink(sink) = &mut node.make
                && !sink.internal
            {
                sink.topic = other(&sink.topic);
            }
        }
        let named = graph.dead_letters.as_ref().map(other);
        graph.dead_letters = named.clone();
        let dead_letters = self.dead_letters.as_ref().map(|topic| named.unwrap_or_else(|| TopicName::clone(topic)));
        Arc::new(Blueprint { graph, subtopologies: self.subtopologies.clone(), dead_letters })
    }

    /// Whether the application says what its dead-letter topic is called.
    pub fn names_dead_letters(&self) -> bool {
        self.graph.dead_letters.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;
    use crate::topology::Topology;

    #[track_caller]
    fn check(letters: Option<&str>, expected: [&str; 3]) {
        let blueprint = Blueprint::of("app", |t: &mut Topology| {
            let events = t.input::<String, u64>("events").on_error(Policy::DeadLetter);
            events.count("counts").to("counts-out");
            events.rekey("by", |value| *value).count("others").to("others-out");
            letters.into_iter().for_each(|name| t.dead_letters(name));
        });
        let blueprint = blueprint.unwrap();
        let other = blueprint.writing(".v2");
        assert_eq!(other.output_topics(), expected);
        assert_eq!(other.input_topics(), blueprint.input_topics());
        assert_eq!(other.internal_topic_names(), blueprint.internal_topic_names());
        assert_eq!(other.manifest().stores, blueprint.manifest().stores);
    }

    #[test]
    fn outputs_get_another_name_and_nothing_else_does() {
        check(None, ["app-dead-letters", "counts-out.v2", "others-out.v2"]);
        check(Some("letters"), ["counts-out.v2", "letters.v2", "others-out.v2"]);
    }
}
