//! Tails of every shape within a replay (B3): it comes to its end without waiting for anything, and what it was to read, and nothing else, has
//! had its effect.

mod tail;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use headwater::port::{Log, NewTopic};
use headwater::{Edge, Request, RunOptions, Silent, TopicName, TopicPartition, Topology};
use headwater_kafka::KafkaLog;
use headwater_runtime::backfill::Ended;
use headwater_runtime::wall_clock;
use headwater_tests::{until, within};

use super::stage::{LONG, Stage, beside, emits, emits_all};
use crate::bounded::cell;
use crate::bounded::shapes::{self, Shape, Writer};
use crate::kafka::support::{joined, unique};
use tail::{COMPACTED, OPEN, TRANSACTIONS, Tail, records};

/// What a run takes two seconds for. Nothing it could wait for comes within that: no timeout of a transaction, of a session or of what is idle.
const WITHOUT_WAITING: Duration = Duration::from_secs(15);

/// A partition for each tail.
struct Tails {
    stage: Stage,
    tails: &'static [Tail],
    input: TopicName,
    outputs: [TopicName; 2],
}

impl Tails {
    fn new(tails: &'static [Tail], policy: &str) -> Tails {
        let stage = Stage::new(KafkaLog::new(cell::config()).expect("a valid configuration"), "tails");
        let input: TopicName = unique("tails-events").into();
        let mut config: BTreeMap<String, String> =
            shapes::config(Shape::GapAtTail).iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        config.insert("cleanup.policy".into(), policy.into());
        let topic = NewTopic { name: input.to_string(), partitions: tails.len() as i32, replication: None, config };
        stage.log.admin().and_then(|mut admin| admin.create(&[topic])).expect("the topic can be made");
        let outputs = ["copies", "values"].map(|name| unique(&format!("tails-{name}")).into());
        Tails { stage, tails, input, outputs }
    }

    fn partitions(&self) -> i32 {
        self.tails.len() as i32
    }

    /// Writes every tail. Answers what was left open.
    fn write(&self) -> Vec<tail::Open> {
        let (_member, metadata) = joined(&self.stage.log, &self.stage.app, &[&self.input]);
        let numbered = self.tails.iter().zip(0..);
        numbered
            .filter_map(|(tail, partition)| {
                let mut writer = Writer::new(&self.stage.log, &self.input, partition, &metadata);
                (tail.write)(&mut writer).map(|producer| tail::Open { producer, metadata: metadata.clone() })
            })
            .collect()
    }

    fn topology(&self) -> impl Fn(&mut Topology) {
        let (input, [copies, values], now) = (self.input.clone(), self.outputs.clone(), wall_clock());
        move |t: &mut Topology| {
            // The records' timestamps are those that make the broker compact.
            let events = t.input::<String, u64>(&input).timestamp(move |_, _| now);
            events.to(&copies);
            events.rekey("by-value", u64::to_string).count("values").to(&values);
        }
    }

    /// Offsets of all partitions.
    fn edge(&self, offset: impl Fn(&Tail) -> i64) -> Edge {
        let partitions = TopicPartition::all_of(&self.input, self.partitions());
        Edge::Offsets(partitions.into_iter().zip(self.tails.iter().map(offset)).collect())
    }

    fn run(&self, request: &Request) {
        within("a run to its end", WITHOUT_WAITING, || self.stage.replay(&self.topology(), request));
    }

    /// Compares what a run came to with what it was to read of each tail.
    #[track_caller]
    fn check(&self, id: &str, read: impl Fn(&Tail) -> &'static str) {
        let of = |output: &TopicName| {
            let mut results: Vec<_> =
                self.stage.results(&format!("{output}.{id}"), self.partitions()).into_iter().flatten().collect();
            results.sort();
            results
        };
        let [copies, values] = self.outputs.each_ref().map(of);
        let mut expected: Vec<_> =
            self.tails.iter().zip(0..).flat_map(|(tail, partition)| records(partition, read(tail))).collect();
        expected.sort();
        let copied: Vec<_> = copies.into_iter().map(|(key, value)| (String::from_utf8(key).expect("text"), value)).collect();
        for (tail, partition) in self.tails.iter().zip(0..) {
            let of_it = |records: &[(String, String)]| -> Vec<(String, String)> {
                records.iter().filter(|(key, _)| key.starts_with(&tail::prefix(partition))).cloned().collect()
            };
            assert_eq!(of_it(&copied), of_it(&expected), "{id}: {}", tail.what);
        }
        assert_eq!(copied, expected);
        // Behind the repartition topic the same, counted by value.
        let mut counts = BTreeMap::<&str, u64>::new();
        let mut counted: Vec<(Vec<u8>, String)> = expected
            .iter()
            .map(|(_, value)| {
                let count = counts.entry(value.as_str()).or_default();
                *count += 1;
                (value.clone().into_bytes(), count.to_string())
            })
            .collect();
        counted.sort();
        assert_eq!(values, counted, "{id}");
    }

    fn all_and_part(&self) {
        assert_eq!(self.write().len(), 0, "nothing is open");
        self.run(&emits_all("all"));
        self.check("all", |tail| tail.all);
        self.run(&emits("part", self.edge(|tail| tail.part.0), self.edge(|tail| tail.part.1)));
        self.check("part", |tail| tail.within);
    }
}

#[test]
fn a_run_ends_wherever_transactions_do() {
    Tails::new(&TRANSACTIONS, "delete").all_and_part();
}

#[test]
fn a_run_ends_in_what_compaction_has_left() {
    Tails::new(&COMPACTED, "compact").all_and_part();
}

#[test]
fn a_run_waits_for_open_transactions_and_for_nothing_else() {
    let tails = Tails::new(&OPEN, "delete");
    let open = tails.write();
    let request = emits_all("open");
    let record = tails.stage.keep(&tails.topology(), &request);
    let process = tails.stage.process(&tails.topology(), &record, "waits", Arc::new(Silent), RunOptions::default());
    let partitions = TopicPartition::all_of(&tails.input, tails.partitions());
    let (ended, ()) = beside(process, |_| {
        // To the last record before what is open, and where nothing is, to the end.
        until("what can be read is committed", LONG, || {
            let stands = partitions
                .iter()
                .zip(tails.tails)
                .all(|(partition, tail)| tails.stage.committed(&record, partition) == tail.part.1);
            stands.then_some(())
        });
        let mut commits = false;
        for mut open in open {
            commits = !commits;
            if commits {
                open.producer.commit(&[], &open.metadata).expect("the transaction commits");
            } else {
                open.producer.abort().expect("the transaction aborts");
            }
        }
    });
    assert_eq!(ended.expect("nothing fails"), Ended::Complete);
    tails.check("open", |tail| tail.all);
}
