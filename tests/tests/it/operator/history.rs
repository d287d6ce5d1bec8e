//! The past from a file, the present from a topic: a generation that begins so takes over from the one that has read it all from the topic.

use std::fmt::Write as _;

use headwater::TopicPartition;
use headwater::port::{Log, ReaderConfig};
use headwater_tests::{KafkaBroker, until};

use crate::kafka::support::TICK;
use crate::ledger::{LONG, Ledger};

const PARTITIONS: i32 = 4;
const TRANSFERS: u64 = 20_000;
/// What is in the file. The oldest transfer still comes when the newest is two and a half minutes older than it, and one is made every 20 ms.
const IN_FILE: usize = 12_000;
/// Where the topic takes over: a minute after the first transfer (2024-01-01), so that the file and the topic overlap.
const CUT: &str = "2024-01-01T00:01:00Z";

/// The transfers so far, as lines of JSON: those of a partition in their order.
fn lines(ledger: &Ledger) -> Vec<String> {
    let partitions = TopicPartition::all_of(ledger::TRANSFERS, PARTITIONS);
    let mut reader = ledger.log.reader(&ReaderConfig { group: "history".into(), read_uncommitted: false }).expect("a reader");
    let ends: Vec<i64> = reader.ends(&partitions).expect("the topic is there").iter().map(|ends| ends.end).collect();
    reader.assign(&partitions.iter().map(|partition| (partition.clone(), 0)).collect::<Vec<_>>()).expect("it can be read");
    let (mut lines, mut positions) = (vec![Vec::new(); ends.len()], vec![0; ends.len()]);
    until("the transfers are read", LONG, || {
        for batch in reader.poll(10_000, TICK).expect("it can be read") {
            let number = usize::try_from(batch.partition.partition).expect("partitions count from 0");
            positions[number] = batch.position;
            for record in batch.records {
                lines[number].push(String::from_utf8(record.value.expect("a transfer").to_vec()).expect("JSON"));
            }
        }
        positions.iter().zip(&ends).all(|(position, end)| position >= end).then_some(())
    });
    lines.concat()
}

#[test]
fn a_generation_begins_with_a_file_and_takes_over_on_the_topic() {
    let broker = KafkaBroker::start();
    let ledger = Ledger::new(broker.log(), broker.bootstrap(), PARTITIONS);
    let mut old = ledger.start("one", &[]);
    std::thread::scope(|scope| {
        let load = scope.spawn(|| ledger.load(1, TRANSFERS, Some(4_000)));
        let history = until("the history is there", LONG, || Some(lines(&ledger)).filter(|lines| lines.len() >= IN_FILE));
        let text = history.iter().fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "{line}");
            text
        });
        let file = ledger.state("transfers.jsonl");
        std::fs::write(&file, text).expect("a file is written");
        let input = format!("{}={},key=account,time=at", ledger::TRANSFERS, file.display());
        let follow = |state: &str| {
            let command =
                ["backfill", "--input", &input, "--to", CUT, "--then-live", "--id", "v2", "--same-output", "--yes-same-output"];
            ledger.start_as(&command, state, &[])
        };
        let new = follow("two");
        new.wait_for("step=Promoted", LONG);
        assert!(old.wait(LONG).success(), "the old generation ends by itself");
        load.join().expect("the load is written");
        // Any later process of the generation has the same past.
        new.stop(LONG);
        let again = ledger.start("three", &["run.generation=v2"]);
        let mut backlog = ledger.backlog_of("ledger.v2");
        until("everything is consumed", LONG, || backlog.remaining().ok().filter(|remaining| *remaining == 0));
        again.stop(LONG);
    });
    let staged = TopicPartition::all_of("ledger.v2-transfers-file", PARTITIONS);
    let mut reader = ledger.log.reader(&ReaderConfig { group: "history".into(), read_uncommitted: false }).expect("a reader");
    assert!(reader.ends(&staged).expect("the rows are there").iter().map(|ends| ends.end).sum::<i64>() >= IN_FILE as i64);
    ledger.check(TRANSFERS);
}
