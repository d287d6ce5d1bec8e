use crate::topology::{Graph, Make, SourceRole};

/// The nodes that one task runs: connected by edges or by a store they share, and with others only through topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subtopology {
    /// From its inputs: the first by name, streams before repartitions before tables; never from a position.
    pub(crate) name: String,
    /// Numbers of its nodes, ascending: each comes before its successors.
    pub(crate) nodes: Vec<usize>,
    /// Numbers of its stores, ascending.
    pub(crate) stores: Vec<usize>,
}

/// Divides the graph, in the order of the first node of each part.
pub(super) fn divide(graph: &Graph) -> Vec<Subtopology> {
    let mut part: Vec<usize> = (0..graph.nodes.len()).collect();
    let mut unite = |a: usize, b: usize| {
        let (keep, drop) = (part[a].min(part[b]), part[a].max(part[b]));
        part.iter_mut().filter(|p| **p == drop).for_each(|p| *p = keep);
    };
    for (number, node) in graph.nodes.iter().enumerate() {
        node.edges.iter().for_each(|edge| unite(number, edge.to));
        let sharing = graph.nodes.iter().enumerate().skip(number + 1);
        sharing
            .filter(|(_, other)| other.stores.iter().any(|s| node.stores.contains(s)))
            .for_each(|(other, _)| unite(number, other));
    }
    let mut parts: Vec<usize> = part.clone();
    parts.sort_unstable();
    parts.dedup();
    parts
        .into_iter()
        .map(|id| {
            let nodes: Vec<usize> = (0..graph.nodes.len()).filter(|number| part[*number] == id).collect();
            let mut stores: Vec<usize> = nodes.iter().flat_map(|number| graph.nodes[*number].stores.iter().copied()).collect();
            stores.sort_unstable();
            stores.dedup();
            Subtopology { name: name_of(graph, &nodes), nodes, stores }
        })
        .collect()
}

fn name_of(graph: &Graph, nodes: &[usize]) -> String {
    let sources = || {
        nodes.iter().filter_map(|number| match &graph.nodes[*number].make {
            Make::Source(source) => Some((&graph.nodes[*number].name, source.role)),
            _ => None,
        })
    };
    // By name, not in order of declaration: lines of code may change places without state changing its directory.
    let rank = |role: SourceRole| match role {
        SourceRole::Stream => 0,
        SourceRole::Repartition => 1,
        SourceRole::Table => 2,
    };
    let first = sources().min_by_key(|(name, role)| (rank(*role), *name));
    first.map_or_else(String::new, |(name, _)| name.trim_end_matches("-repartition-source").to_owned())
}
