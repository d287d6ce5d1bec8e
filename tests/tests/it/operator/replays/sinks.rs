//! Systems outside of Kafka in a replay (B8): one that forbids it is not even opened, unless it is named.

use headwater::{ReplayEffect, Request, TestSink, TopicName, Topology};

use super::stage::{Stage, emits_all};
use crate::kafka::support::{log, new_topic};

const PARTITIONS: i32 = 3;
const EVENTS: u64 = 3_000;

/// One that must not hear anything twice, one that may.
struct Outside {
    pager: TestSink,
    mirror: TestSink,
}

impl Outside {
    fn new() -> Outside {
        Outside { pager: TestSink::new(ReplayEffect::Forbidden), mirror: TestSink::new(ReplayEffect::Idempotent) }
    }

    fn topology(&self, input: &TopicName) -> impl Fn(&mut Topology) {
        let (pager, mirror, input) = (self.pager.clone(), self.mirror.clone(), input.clone());
        move |t: &mut Topology| {
            let events = t.input::<String, u64>(&input);
            events.deliver("pager", pager.clone());
            events.deliver("mirror", mirror.clone());
        }
    }
}

/// What reached a sink: delivery is at least once.
fn reached(sink: &TestSink) -> Vec<u64> {
    let mut numbers: Vec<u64> = sink.arrived::<String, u64>().into_iter().map(|out| out.value).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn replay(stage: &Stage, input: &TopicName, id: &str, allow_sinks: &[&str]) -> Outside {
    let outside = Outside::new();
    let allow_sinks = allow_sinks.iter().map(|sink| (*sink).to_owned()).collect();
    let request = Request { allow_sinks, ..emits_all(id) };
    stage.replay(&outside.topology(input), &request);
    outside
}

#[test]
fn a_replay_does_not_reach_what_forbids_it() {
    let stage = Stage::new(log(), "sinks");
    let input = new_topic(&stage.log, "sink-events", PARTITIONS);
    stage.write(&input, PARTITIONS, 0..EVENTS, |number| format!("k{}", number % 7));
    let all: Vec<u64> = (0..EVENTS).collect();
    let live = Outside::new();
    stage.live(&live.topology(&input));
    assert_eq!((reached(&live.pager), reached(&live.mirror)), (all.clone(), all.clone()), "live, both hear everything");
    let replayed = replay(&stage, &input, "again", &[]);
    assert_eq!(replayed.pager.calls(), [], "not even opened");
    assert_eq!(reached(&replayed.mirror), all);
    let allowed = replay(&stage, &input, "paged", &["pager"]);
    assert_eq!((reached(&allowed.pager), reached(&allowed.mirror)), (all.clone(), all));
}
