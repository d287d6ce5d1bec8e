//! Retention that overtakes a replay (B9): what a run has committed may go, what it has yet to read may not, and what was gone when it was
//! planned is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater::port::{Log, NewTopic};
use headwater::{Edge, Observer, Process, Request, RunError, RunOptions, TopicName, TopicPartition, Topology};
use headwater_core::bounded::RunRecord;
use headwater_core::engine::EngineError;
use headwater_kafka::{KafkaConfig, KafkaLog};
use headwater_ops::run_error;
use headwater_runtime::backfill::{BackfillError, Ended};
use headwater_tests::{KafkaBroker, until};

use super::observed::Observed;
use super::stage::{LONG, Stage, beside, emits_all};
use crate::kafka::support::{new_topic, p, unique};

const PARTITIONS: i32 = 2;
const EVENTS: u64 = 12_000;
/// Events a second: slow enough for something to happen meanwhile.
const RATE: u64 = 3_000;

/// One input that is copied, and what is said of the copies.
struct Copied {
    stage: Stage,
    input: TopicName,
    copies: TopicName,
}

impl Copied {
    fn new() -> Copied {
        // A reader fetches little at a time: what is deleted is not yet in its hands.
        let config = KafkaConfig { fetch_ahead: 16 << 10, ..KafkaBroker::shared().config() };
        let stage = Stage::new(KafkaLog::new(config).expect("a valid configuration"), "overtaken");
        let input = new_topic(&stage.log, "overtaken-events", PARTITIONS);
        stage.write(&input, PARTITIONS, 0..EVENTS, |number| format!("k{}-{}", number % 11, "x".repeat(200)));
        Copied { stage, input, copies: unique("overtaken-copies").into() }
    }

    fn topology(&self) -> impl Fn(&mut Topology) {
        let (input, copies) = (self.input.clone(), self.copies.clone());
        move |t: &mut Topology| t.input::<String, u64>(&input).to(&copies)
    }

    fn partitions(&self) -> Vec<TopicPartition> {
        TopicPartition::all_of(&self.input, PARTITIONS)
    }

    fn delete(&self, partition: &TopicPartition, before: i64) {
        let deleted = self.stage.log.admin().and_then(|mut admin| admin.delete_records(&[(partition.clone(), before)]));
        deleted.expect("records can be deleted");
    }

    fn process(&self, record: &RunRecord, observed: &Arc<Observed>, rate: Option<u64>) -> Process {
        let observer = Arc::clone(observed) as Arc<dyn Observer>;
        let options = RunOptions { max_rate: rate, buffer_bytes: 64 << 10, ..RunOptions::default() };
        self.stage.process(&self.topology(), record, "alone", observer, options)
    }

    /// The values copied to the outputs of a run, by partition: a key's copy is in the partition of the key.
    fn copied(&self, id: &str) -> Vec<Vec<String>> {
        let results = self.stage.results(&format!("{}.{id}", self.copies), PARTITIONS);
        results.into_iter().map(|records| records.into_iter().map(|(_, value)| value).collect()).collect()
    }
}

/// What a run that cannot go on says: the partition, where it is, where the log begins. Answers where it is.
#[track_caller]
fn check_overtaken(error: RunError, partition: &TopicPartition, begins: i64) -> i64 {
    let position = match &error {
        RunError::Engine(EngineError::SpanLost { partition: found, position, log }) => {
            assert_eq!((found, log.start), (partition, begins));
            *position
        }
        other => panic!("{other}"),
    };
    let shown = run_error(error);
    assert_eq!((shown.code, shown.exit), (Some("HW0030"), 1));
    for part in [
        &*partition.to_string(),
        &format!("has offsets {begins} to "),
        &format!("yet to read offset {position}:"),
        "`backfill clean`",
    ] {
        assert!(shown.message.contains(part), "{part} is not in: {}", shown.message);
    }
    assert!(!shown.message.contains("`reset`"), "that would be about the live application: {}", shown.message);
    position
}

#[test]
fn a_run_that_retention_overtakes_ends_by_name_and_keeps_what_it_has_done() {
    let copied = Copied::new();
    let input = copied.stage.results(&copied.input, PARTITIONS);
    let record = copied.stage.keep(&copied.topology(), &emits_all("late"));
    let (observed, partition) = (Arc::new(Observed::default()), p(&copied.input, 0));
    let committed = |observed: &Observed, at_least: i64| {
        let position = observed.committed(&partition);
        (position >= at_least).then_some(position)
    };
    let (ended, (done, begins)) = beside(copied.process(&record, &observed, Some(RATE)), |_| {
        // What is behind the run may go.
        let done = until("a part is committed", LONG, || committed(&observed, 500));
        copied.delete(&partition, done);
        let done = until("more is committed", LONG, || committed(&observed, done + 500));
        // What is before it may not.
        let end = input[0].len() as i64;
        assert!(done < end / 2, "in the middle: {done} of {end}");
        copied.delete(&partition, end - 10);
        (done, end - 10)
    });
    let position = check_overtaken(ended.expect_err("it cannot go on"), &partition, begins);
    let kept: Vec<i64> = copied.partitions().iter().map(|partition| copied.stage.committed(&record, partition)).collect();
    assert!(done <= kept[0] && kept[0] <= position && position < begins, "{done}, {kept:?}, {position}, {begins}");
    let exactly = |copies: &[Vec<String>], kept: &[i64]| {
        for ((copies, input), kept) in copies.iter().zip(&input).zip(kept) {
            let expected: Vec<&str> = input.iter().take(*kept as usize).map(|(_, value)| value.as_str()).collect();
            assert!(*copies == expected, "{} copies of {kept} records", copies.len());
        }
    };
    exactly(&copied.copied("late"), &kept);

    // Started again it skips nothing either.
    let (ended, ()) = beside(copied.process(&record, &observed, None), |_| ());
    assert_eq!(check_overtaken(ended.expect_err("nothing has changed"), &partition, begins), kept[0]);
    let now: Vec<i64> = copied.partitions().iter().map(|partition| copied.stage.committed(&record, partition)).collect();
    assert_eq!(now[0], kept[0]);
    exactly(&copied.copied("late"), &now);
}

#[test]
fn what_is_gone_before_a_run_is_told_and_what_goes_after_its_plan_is_refused() {
    let copied = Copied::new();
    let (partition, other) = (p(&copied.input, 0), p(&copied.input, 1));
    let draft = |request: &Request| copied.stage.draft(&copied.topology(), request);
    assert_eq!(draft(&emits_all("whole")).expect("it can be planned").warnings, Vec::<String>::new());

    copied.delete(&partition, 300);
    let truncated = draft(&emits_all("rest")).expect("it can be planned");
    let told =
        format!("{} begins behind offset 0 in 1 of 2 partitions (as far as 300): what was there before is gone", copied.input);
    assert_eq!(truncated.warnings, [told]);
    let starts: Vec<i64> = truncated.record.spans.iter().map(|span| span.span.start).collect();
    assert_eq!(starts, [300, 0]);
    let before = Edge::Offsets(BTreeMap::from([(partition.clone(), 299), (other.clone(), 0)]));
    let refused = draft(&Request { from: before, ..emits_all("before") }).expect_err("there is no such offset");
    assert!(matches!(&refused, BackfillError::OutsideLog { offset: 299, log, .. } if log.start == 300), "{refused}");
    assert!(refused.to_string().starts_with(&format!("{partition} has offsets 300 to ")), "{refused}");

    // Planned, then overtaken before it has begun.
    let record = copied.stage.keep(&copied.topology(), &emits_all("gone"));
    let planned = record.spans[0].span;
    copied.delete(&partition, 301);
    let (ended, ()) = beside(copied.process(&record, &Arc::default(), None), |_| ());
    assert_eq!(check_overtaken(ended.expect_err("a record is missing"), &partition, 301), planned.start);

    // Planned again it reads what is left, to the last record.
    let record = copied.stage.keep(&copied.topology(), &emits_all("left"));
    let (ended, ()) = beside(copied.process(&record, &Arc::default(), None), |_| ());
    assert_eq!(ended.expect("nothing is missing"), Ended::Complete);
    let left: Vec<Vec<String>> = copied
        .stage
        .results(&copied.input, PARTITIONS)
        .into_iter()
        .map(|records| records.into_iter().map(|(_, value)| value).collect())
        .collect();
    assert!(copied.copied("left") == left, "exactly what is left");
}

#[test]
fn a_topic_that_was_made_anew_is_refused_and_not_waited_for() {
    let copied = Copied::new();
    let record = copied.stage.keep(&copied.topology(), &emits_all("anew"));
    let end = record.spans[0].span.end;
    let names = [copied.input.to_string()];
    let mut admin = copied.stage.log.admin().expect("the broker is up");
    admin.delete(&names).expect("the topic can be deleted");
    until("the topic is gone", LONG, || admin.describe(&names).expect("the broker is up").is_empty().then_some(()));
    let config = BTreeMap::from([("retention.ms".to_owned(), "-1".to_owned())]);
    let topic = NewTopic { name: copied.input.to_string(), partitions: PARTITIONS, replication: None, config };
    admin.create(&[topic]).expect("the topic can be made again");
    // Fewer than the plan has; of the same offsets.
    copied.stage.write(&copied.input, PARTITIONS, 0..100, |number| format!("k{}", number % 11));
    let (ended, ()) = beside(copied.process(&record, &Arc::default(), None), |_| ());
    let partition = p(&copied.input, 0);
    assert_eq!(check_overtaken(ended.expect_err("those records are gone"), &partition, 0), end - 1);
    assert_eq!(copied.copied("anew").concat(), Vec::<String>::new());
}
