//! Outputs in a replay (B7): a run for its state and a comparison leave every output where it ends, whatever they find.

use headwater::port::{Ends, Log};
use headwater::{Blueprint, Destination, Edge, Request, TopicName, Topology, Tumbling, seconds};
use headwater_core::bounded::{Mode, RunRecord};
use headwater_runtime::backfill::compare;

use super::stage::{Describe, Stage, emits_all};
use crate::kafka::support::{log, new_topic, unique};

const PARTITIONS: i32 = 3;
const EVENTS: u64 = 3_000;
const KEYS: u64 = 7;

/// An input, and an output behind each kind of task: as it comes, behind a store, behind a window, behind a repartition topic.
struct Topics {
    input: TopicName,
    outputs: [TopicName; 4],
}

impl Topics {
    fn new(stage: &Stage) -> Topics {
        let input = new_topic(&stage.log, "silent-events", PARTITIONS);
        Topics {
            input,
            outputs: ["copies", "counts", "windows", "parities"].map(|name| unique(&format!("silent-{name}")).into()),
        }
    }

    /// Adds `by` to every event.
    fn topology(&self, by: u64) -> impl Fn(&mut Topology) {
        let (input, [copies, counts, windows, parities]) = (self.input.clone(), self.outputs.clone());
        move |t: &mut Topology| {
            let events = t.input::<String, u64>(&input).map(move |number| number + by);
            events.to(&copies);
            events.count("counts").to(&counts);
            events.window(Tumbling::of(seconds(1))).count("windows").to(&windows);
            events.rekey("by-parity", |number| (number % 2).to_string()).count("parities").to(&parities);
        }
    }

    /// The outputs' names with something behind them.
    fn suffixed(&self, suffix: &str) -> Vec<String> {
        self.outputs.iter().map(|output| format!("{output}{suffix}")).collect()
    }

    /// How many of these there are.
    fn made(&self, stage: &Stage, suffix: &str) -> usize {
        let found = stage.log.admin().and_then(|mut admin| admin.describe(&self.suffixed(suffix)));
        found.expect("the broker answers").len()
    }

    /// How many results each of these has.
    fn results(&self, stage: &Stage, suffix: &str) -> Vec<u64> {
        let count = |topic: &String| stage.records(topic, PARTITIONS).iter().map(Vec::len).sum::<usize>() as u64;
        self.suffixed(suffix).iter().map(count).collect()
    }

    /// Where the outputs end, whatever their last offsets are.
    fn ends(&self, stage: &Stage) -> Vec<Ends> {
        stage.ends(&self.outputs.iter().collect::<Vec<_>>(), PARTITIONS)
    }

    /// Of a run that must not be heard: it reads everything and has its state, and all outputs end where they ended.
    fn replay_in_silence(&self, stage: &Stage, describe: Describe<'_>, id: &str, mode: Mode) -> RunRecord {
        let before = self.ends(stage);
        let (record, observed) = stage.replay(describe, &Request { mode, ..Request::range(id, Edge::Earliest, Edge::Now) });
        assert_eq!(observed.consumed(&self.input), EVENTS);
        let changelog = format!("{}-counts-changelog", record.app);
        let state: usize = stage.records(&changelog, PARTITIONS).iter().map(Vec::len).sum();
        assert!(state >= KEYS as usize, "it leaves its state");
        assert_eq!(self.ends(stage), before, "{mode:?} wrote to an output");
        assert_eq!(self.made(stage, &format!(".{id}")), 0);
        record
    }
}

#[test]
fn only_a_run_that_emits_writes_to_outputs() {
    let stage = Stage::new(log(), "silent");
    let topics = Topics::new(&stage);
    stage.write(&topics.input, PARTITIONS, 0..EVENTS, |number| format!("k{}", number % KEYS));
    let (same, other) = (topics.topology(0), topics.topology(1));
    stage.live(&same);
    assert_eq!(topics.results(&stage, ""), [EVENTS; 4], "live, a result for each event");

    topics.replay_in_silence(&stage, &same, "state", Mode::StateOnly);
    let record = topics.replay_in_silence(&stage, &other, "unequal", Mode::Diff);
    let blueprint = Blueprint::of(&stage.app, &other).expect("the topology is valid");
    let mut found = 0;
    let comparison = compare(&blueprint, &stage.log, &record, &mut |_| found += 1).expect("it can be compared");
    assert!(topics.outputs.iter().all(|output| comparison.compared[&**output] > 0), "{comparison:?}");
    assert!(found > 0 && found == comparison.differences(), "{found}: {comparison:?}");

    // The same run, heard: beside the outputs, and into them.
    let before = topics.ends(&stage);
    stage.replay(&same, &emits_all("beside"));
    assert_eq!(topics.ends(&stage), before);
    assert_eq!((topics.made(&stage, ".beside"), topics.results(&stage, ".beside")), (4, vec![EVENTS; 4]));
    stage.replay(&same, &Request { destination: Some(Destination::Same), ..emits_all("again") });
    assert_eq!(topics.results(&stage, ""), [2 * EVENTS; 4]);
}
