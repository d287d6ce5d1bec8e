//! A process that joins in the middle of a replay (B10): the work is shared, the results are those of one process, and nothing that was
//! committed is done again.

mod walk;

use std::sync::Arc;

use headwater::{Observer, RunOptions, TopicName, TopicPartition, Topology};
use headwater_core::bounded::RunRecord;
use headwater_runtime::backfill::Ended;
use headwater_tests::until;

use super::observed::Observed;
use super::stage::{LONG, Stage, beside, emits_all};
use crate::kafka::support::{log, new_topic, unique};
use walk::{Walks, Who};

const PARTITIONS: i32 = 4;
const EVENTS: u64 = 40_000;

struct Shared {
    stage: Stage,
    input: TopicName,
    outputs: [TopicName; 2],
    walks: Arc<Walks>,
}

impl Shared {
    fn new() -> Shared {
        let stage = Stage::new(log(), "joined");
        let input = new_topic(&stage.log, "joined-events", PARTITIONS);
        let key = |number: u64| format!("k{}", number % 97);
        stage.write(&input, PARTITIONS, 0..EVENTS, key);
        let outputs = ["counts", "remainders"].map(|name| unique(&format!("joined-{name}")).into());
        let walks = Arc::new(Walks::new(stage.log.clone(), &input, PARTITIONS, (0..EVENTS).map(key)));
        Shared { stage, input, outputs, walks }
    }

    /// The topology as a process runs it, whose steps are noted.
    fn topology(&self, who: Option<Who>) -> impl Fn(&mut Topology) {
        let (input, [counts, remainders], walks) = (self.input.clone(), self.outputs.clone(), Arc::clone(&self.walks));
        move |t: &mut Topology| {
            let walks = Arc::clone(&walks);
            let events = t.input::<String, u64>(&input).map(move |number| {
                if let Some(who) = who {
                    walks.step(who, *number);
                }
                *number
            });
            events.count("counts").to(&counts);
            events.rekey("by-remainder", |number| (number % 13).to_string()).count("remainders").to(&remainders);
        }
    }

    fn process(&self, record: &RunRecord, who: Who, observed: &Arc<Observed>) -> headwater::Process {
        let observer = Arc::clone(observed) as Arc<dyn Observer>;
        // As rarely as a backfill commits: much is on its way when the partitions move.
        let options = RunOptions { workers: 2, bulk_interval: std::time::Duration::from_secs(1), ..RunOptions::default() };
        self.stage.process(&self.topology(Some(who)), record, &format!("{who:?}"), observer, options)
    }

    /// The results of a run, those of a key in their order.
    fn results(&self, id: &str) -> Vec<Vec<(Vec<u8>, String)>> {
        let of = |output| self.stage.results(&format!("{output}.{id}"), PARTITIONS);
        let mut results: Vec<_> = self.outputs.iter().flat_map(of).collect();
        results.iter_mut().for_each(|records| records.sort_by(|(one, _), (other, _)| one.cmp(other)));
        results
    }
}

#[test]
fn a_process_that_joins_takes_its_share_and_repeats_nothing_that_was_committed() {
    let shared = Shared::new();
    shared.stage.replay(&shared.topology(None), &emits_all("alone"));
    let record = shared.stage.keep(&shared.topology(None), &emits_all("joint"));
    shared.walks.watch(&record.app);
    let (one, two) = (Arc::new(Observed::default()), Arc::new(Observed::default()));
    let partitions = TopicPartition::all_of(&shared.input, PARTITIONS);
    let (first, second) = beside(shared.process(&record, Who::First, &one), |_| {
        until("every partition is begun", LONG, || partitions.iter().all(|partition| one.committed(partition) > 0).then_some(()));
        beside(shared.process(&record, Who::Second, &two), |_| ()).0
    });
    assert_eq!((first.expect("nothing fails"), second.expect("nothing fails")), (Ended::Complete, Ended::Complete));

    let walked = shared.walks.conclude();
    assert_eq!(walked.wrong, Vec::<String>::new());
    let starts = &walked.starts[Who::Second as usize];
    assert!(!starts.is_empty() && starts.iter().all(|offset| *offset > 0), "it goes on where the first one was: {starts:?}");
    let read = [one.consumed(&shared.input), two.consumed(&shared.input)];
    assert!(read.iter().all(|records| *records > EVENTS / 10), "the work is shared: {read:?}");
    assert_eq!(read.iter().sum::<u64>(), EVENTS + walked.again, "{read:?}");
    assert_eq!(read, walked.steps);
    assert!(shared.results("joint") == shared.results("alone"), "what one process comes to");
}
