use std::time::{Duration, Instant};

use headwater_core::port::Committed;

use super::support::*;

#[test]
fn a_commit_is_quick() {
    let log = log();
    let (input, output) = (new_topic(&log, "in", 4), new_topic(&log, "out", 4));
    let (mut member, metadata) = joined(&log, &unique("latency"), &[&input]);
    let mut producer = transactional(&log, &unique("latency"));
    let mut took: Vec<Duration> = (0..100)
        .map(|round| {
            // Commits are not back to back in production either: for some milliseconds after one the broker still writes
            // its markers, and lets the next transaction wait for them.
            assert_eq!(member.poll(TICK).unwrap(), []);
            producer.begin().unwrap();
            for partition in 0..4 {
                send(producer.as_mut(), &output, partition, &["one", "two", "three"]);
            }
            let offsets: Vec<_> =
                (0..4).map(|partition| (p(&input, partition), Committed { offset: round, metadata: "m".into() })).collect();
            let started = Instant::now();
            producer.commit(&offsets, &metadata).unwrap();
            started.elapsed()
        })
        .collect();
    took.sort();
    let at = |percent: usize| took[took.len() * percent / 100].as_secs_f64() * 1e3;
    println!("commit of 12 records and 4 offsets: median {:.1} ms, p90 {:.1} ms, p99 {:.1} ms", at(50), at(90), at(99));
    assert!(at(50) < 1000.0);
}
