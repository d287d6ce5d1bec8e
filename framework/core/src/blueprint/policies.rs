//! What happens to failed records, where the application does not say it itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::policy::Policy;
use crate::record::TopicName;
use crate::topology::{Graph, Make, NodeSpec};

/// Gives each repartition topic the policy of the inputs whose records it carries, the strictest if they differ.
pub(super) fn inherit(graph: &mut Graph) {
    for number in 0..graph.nodes.len() {
        let inherited = inherited(graph, number, &mut BTreeSet::new());
        if let Make::Source(source) = &mut graph.nodes[number].make {
            source.policy = source.policy.or(inherited);
        }
    }
}

/// A source's policy, or what it inherits; none where nothing leads to it but itself.
fn inherited(graph: &Graph, number: usize, seen: &mut BTreeSet<usize>) -> Option<Policy> {
    let Make::Source(source) = &graph.nodes[number].make else { return None };
    if source.policy.is_some() || !seen.insert(number) {
        return source.policy;
    }
    let inputs = inputs_of(graph, &source.topic);
    inputs.into_iter().filter_map(|input| inherited(graph, input, seen)).reduce(Policy::stricter)
}

/// The dead-letter topic; none if nothing is ever written to it.
pub(super) fn dead_letters(graph: &Graph) -> Option<TopicName> {
    let by_sources = (0..graph.nodes.len()).any(|number| policy_of(graph, number) == Policy::DeadLetter);
    let by_timers = graph.timer_policies.values().any(|policy| *policy == Policy::DeadLetter);
    let name = || graph.dead_letters.as_ref().map_or_else(|| format!("{}-dead-letters", graph.app).into(), Arc::clone);
    (by_sources || by_timers).then(name)
}

fn policy_of(graph: &Graph, number: usize) -> Policy {
    match &graph.nodes[number].make {
        Make::Source(source) => source.policy.unwrap_or_default(),
        _ => Policy::Fail,
    }
}

/// The sources from which an edge leads, through however many nodes, to a sink of `topic`.
fn inputs_of(graph: &Graph, topic: &TopicName) -> Vec<usize> {
    let mut leads = vec![false; graph.nodes.len()];
    for (number, node) in graph.nodes.iter().enumerate() {
        leads[number] = matches!(&node.make, Make::Sink(sink) if sink.topic == *topic);
    }
    // An input may have been declared after the transform it was added to: repeat until nothing new is found.
    loop {
        let more = |(number, node): &(usize, &NodeSpec)| !leads[*number] && node.edges.iter().any(|edge| leads[edge.to]);
        let found: Vec<usize> = graph.nodes.iter().enumerate().filter(more).map(|(number, _)| number).collect();
        if found.is_empty() {
            break;
        }
        found.into_iter().for_each(|number| leads[number] = true);
    }
    let is_source = |number: &usize| leads[*number] && matches!(graph.nodes[*number].make, Make::Source(_));
    (0..graph.nodes.len()).filter(is_source).collect()
}

#[cfg(test)]
mod tests {
    use crate::blueprint::Blueprint;
    use crate::policy::Policy::{self, DeadLetter, Fail, Skip};
    use crate::topology::{Make, SourceRole, Topology};

    /// The policy of the repartition topic `last` behind inputs of these policies.
    #[track_caller]
    fn check(inputs: [Policy; 2], own: Option<Policy>, expected: Policy) {
        let describe = |t: &mut Topology| {
            let a = t.input::<String, u64>("a").on_error(inputs[0]);
            let b = t.input::<String, u64>("b").on_error(inputs[1]);
            let _other = t.input::<String, u64>("unrelated").on_error(Skip);
            let first = a.map(|n| n + 1).merge(&b).rekey("first", |n| *n);
            let last = first.filter(|n| *n > 0).rekey("last", |n| *n);
            let last = match own {
                Some(policy) => last.on_error(policy),
                None => last,
            };
            last.count("counts").to("out");
        };
        let blueprint = Blueprint::of("app", describe).unwrap();
        let mut policies = blueprint.graph.nodes.iter().rev().filter_map(|node| match &node.make {
            Make::Source(source) if source.role == SourceRole::Repartition => source.policy,
            _ => None,
        });
        assert_eq!(policies.next(), Some(expected));
    }

    #[test]
    fn records_behind_a_rekey_go_by_their_inputs_unless_it_is_said() {
        check([DeadLetter, DeadLetter], None, DeadLetter);
        check([Skip, DeadLetter], None, DeadLetter);
        check([Skip, Skip], None, Skip);
        check([Skip, Fail], None, Fail);
        check([Fail, Fail], Some(DeadLetter), DeadLetter);
    }

    #[test]
    fn the_topic_is_an_output_only_where_it_is_needed() {
        let outputs = |policy, name: Option<&str>| {
            let describe = |t: &mut Topology| {
                t.input::<String, u64>("a").on_error(policy).to("out");
                name.into_iter().for_each(|name| t.dead_letters(name));
            };
            Blueprint::of("app", describe).unwrap().output_topics()
        };
        assert_eq!(outputs(Skip, None), ["out"]);
        assert_eq!(outputs(Skip, Some("graveyard")), ["out"]);
        assert_eq!(outputs(DeadLetter, None), ["app-dead-letters", "out"]);
        assert_eq!(outputs(DeadLetter, Some("graveyard")), ["graveyard", "out"]);
    }

    #[test]
    fn dead_letters_are_not_read_or_mixed_with_results() {
        for (input, output) in [("app-dead-letters", "out"), ("in", "app-dead-letters")] {
            let describe = |t: &mut Topology| t.input::<String, u64>(input).on_error(DeadLetter).to(output);
            let error = Blueprint::of("app", describe).unwrap_err().to_string();
            assert!(error.contains("\"app-dead-letters\"") && error.contains("dead letters"), "{error}");
        }
    }
}
