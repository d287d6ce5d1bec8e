use super::Blueprint;
use crate::record::TopicName;
use crate::topology::{SourceRole, SourceSpec};

impl Blueprint {
    /// Inputs of whose records nobody looks at the headers. Those of repartition topics may say times, and a dead letter has those of the
    /// record that failed; user code sees none.
    pub(crate) fn inputs_without_headers(&self) -> Vec<TopicName> {
        let is_looked_at = |source: &SourceSpec| self.dead_letters.is_some() || source.role == SourceRole::Repartition;
        self.sources().filter(|source| !is_looked_at(source)).map(|source| source.topic.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;
    use crate::topology::Topology;

    #[test]
    fn headers_are_kept_for_dead_letters_and_where_they_say_times() {
        let left_out = |policy: Policy| {
            let describe = |t: &mut Topology| {
                let names = t.table::<String, String>("names");
                let events = t.input::<String, u64>("events").on_error(policy);
                events.join("named", &names, |_, name| name.clone()).to("named");
                t.input::<String, u64>("others").rekey("by", |value| *value).count("counts").to("counts");
            };
            Blueprint::of("app", describe).unwrap().inputs_without_headers()
        };
        let mut topics = left_out(Policy::Skip);
        topics.sort_unstable();
        assert_eq!(topics.iter().map(|topic| &**topic).collect::<Vec<_>>(), ["events", "names", "others"]);
        assert_eq!(left_out(Policy::DeadLetter), []);
    }
}
