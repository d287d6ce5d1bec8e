//! How far back in event time an output depends on its inputs: what a run over a range of time has to read before the range.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Blueprint;
use crate::reach::Reach;
use crate::record::TopicName;
use crate::time::Timestamp;
use crate::topology::{Graph, Make, SourceRole};

/// What a stream input needs of a run over a range of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputTimes {
    /// Whether its event time is the records' own timestamp, so that the log can be asked where a time begins.
    pub is_record_time: bool,
    /// How far behind the newest record an older one may come.
    pub out_of_orderness: Duration,
}

impl Blueprint {
    /// How far back each output reaches: topics and sinks, by name.
    pub fn reaches(&self) -> BTreeMap<String, Reach> {
        let graph = &self.graph;
        let mut before = vec![Reach::NONE; graph.nodes.len()];
        // A graph without cycles is settled after as many rounds as it has nodes; usually after one, or two.
        for _ in 0..graph.nodes.len() {
            let next = round(graph, &before);
            if next == before {
                break;
            }
            before = next;
        }
        let mut reaches: BTreeMap<String, Reach> = BTreeMap::new();
        for (node, reach) in graph.nodes.iter().zip(before) {
            let output = match &node.make {
                Make::Sink(sink) if !sink.internal => sink.topic.to_string(),
                Make::Delivery(_) => node.name.clone(),
                _ => continue,
            };
            let known = reaches.entry(output).or_insert(Reach::NONE);
            *known = known.max(reach);
        }
        reaches
    }

    /// What the stream inputs say about time, by topic.
    pub fn input_times(&self) -> BTreeMap<String, InputTimes> {
        let sources = self.graph.nodes.iter().filter_map(|node| match &node.make {
            Make::Source(source) if source.role == SourceRole::Stream => Some(source),
            _ => None,
        });
        let times = |source: &crate::topology::SourceSpec| InputTimes {
            is_record_time: source.is_record_time,
            out_of_orderness: source.out_of_orderness,
        };
        sources.map(|source| (source.topic.to_string(), times(source))).collect()
    }

    /// The topics that are read as tables.
    pub fn table_topics(&self) -> Vec<String> {
        let tables = self.graph.nodes.iter().filter_map(|node| match &node.make {
            Make::Source(source) if source.role == SourceRole::Table => Some(source.topic.to_string()),
            _ => None,
        });
        tables.collect()
    }

    /// The longest grace of a window in the topology.
    pub fn largest_grace(&self) -> Duration {
        self.graph.nodes.iter().filter_map(|node| node.windows).map(|windows| windows.grace_period()).max().unwrap_or_default()
    }

    /// How much of event time behind a range the windows need that begin in it: none if the range ends where windows do.
    pub fn overhang(&self, to: Timestamp) -> Duration {
        let cut = |size: &Duration| to.as_millis().rem_euclid(i64::try_from(size.as_millis()).unwrap_or(i64::MAX).max(1)) != 0;
        self.graph
            .nodes
            .iter()
            .filter_map(|node| node.windows)
            .map(|windows| windows.size())
            .filter(cut)
            .max()
            .unwrap_or_default()
    }

    /// Where results of an output belong in time, by their encoded key and timestamp: a windowed one to its window's start.
    pub fn belongs(&self, output: &str) -> Option<fn(&[u8], Timestamp) -> Timestamp> {
        self.graph.nodes.iter().find_map(|node| match &node.make {
            Make::Sink(sink) if *sink.topic == *output => Some(sink.belongs),
            _ => None,
        })
    }
}

fn round(graph: &Graph, before: &[Reach]) -> Vec<Reach> {
    let mut arriving = vec![Reach::NONE; graph.nodes.len()];
    for (node, reach) in graph.nodes.iter().zip(before) {
        for edge in &node.edges {
            arriving[edge.to] = arriving[edge.to].max(*reach);
        }
        if let Make::Sink(sink) = &node.make {
            for behind in sources_of(graph, &sink.topic) {
                arriving[behind] = arriving[behind].max(*reach);
            }
        }
    }
    graph.nodes.iter().zip(arriving).map(|(node, arriving)| node.reach.behind(arriving)).collect()
}

/// The nodes that read a repartition topic.
fn sources_of<'a>(graph: &'a Graph, topic: &'a TopicName) -> impl Iterator<Item = usize> + 'a {
    graph.nodes.iter().enumerate().filter_map(move |(number, node)| match &node.make {
        Make::Source(source) if source.role == SourceRole::Repartition && source.topic == *topic => Some(number),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;
    use crate::time::{days, hours, minutes};
    use crate::topology::Topology;
    use crate::transform::{Cx, On, Output, Setup, Transform, Value};
    use crate::window::Tumbling;

    struct Week {
        seen: Value<u64>,
        out: Output<u64>,
    }

    impl Transform for Week {
        type Key = String;
        fn setup(s: &mut Setup<Self>) -> Self {
            Week { seen: s.value("seen"), out: s.output("out") }
        }
        fn horizon() -> Option<Duration> {
            Some(days(7))
        }
    }

    impl On<u64> for Week {
        fn on(&mut self, event: &u64, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
            self.seen.put(cx, event)?;
            self.out.send(cx, event)
        }
    }

    #[test]
    fn reaches_add_up_along_the_way_and_through_repartitions() {
        let blueprint = Blueprint::of("app", |t: &mut Topology| {
            let input = t.input::<String, u64>("in");
            input.map(|value| value + 1).to("mapped");
            let windows = Tumbling::of(hours(1)).grace(hours(24));
            input.window(windows).count("hourly").to("windowed");
            let weekly = input.transform::<Week>("week").output(|week| &week.out);
            weekly.to("weekly");
            weekly.rekey("again", u64::to_string).window(windows).count("behind").to("both");
            input.count("total").to("total");
            input.merge(&weekly).to("merged");
        });
        let reaches = blueprint.unwrap().reaches();
        let reach = |output: &str| reaches.get(output).copied();
        let within = |duration| Some(Reach::Within(duration));
        assert_eq!(reach("mapped"), within(Duration::ZERO));
        assert_eq!(reach("windowed"), within(hours(25)));
        assert_eq!(reach("weekly"), within(days(7)));
        assert_eq!(reach("both"), within(days(7) + hours(25)));
        assert_eq!(reach("total"), Some(Reach::Unbounded));
        assert_eq!(reach("merged"), within(days(7)));
    }

    #[test]
    fn a_range_that_cuts_through_windows_hangs_over() {
        let blueprint = Blueprint::of("app", |t: &mut Topology| {
            let input = t.input::<String, u64>("in").out_of_order(minutes(5));
            input.window(Tumbling::of(hours(1)).grace(minutes(10))).count("hourly").to("hours");
            input.window(Tumbling::of(minutes(10))).count("short").to("tens");
        });
        let blueprint = blueprint.unwrap();
        let at = |minute: i64| Timestamp::from_millis(minute * 60_000);
        assert_eq!(blueprint.overhang(at(120)), Duration::ZERO);
        assert_eq!(blueprint.overhang(at(130)), hours(1));
        assert_eq!(blueprint.overhang(at(-60)), Duration::ZERO);
        assert_eq!(blueprint.largest_grace(), minutes(10));
        let times = InputTimes { is_record_time: true, out_of_orderness: minutes(5) };
        assert_eq!(blueprint.input_times().get("in"), Some(&times));
    }
}
