//! The manifest on a real broker: what is refused, what is accepted, and two versions in one group.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use headwater::adapters::{RocksStores, StoreOptions};
use headwater::port::{Log, NewTopic, ProducerConfig};
use headwater::{
    Blueprint, Observer, Outgoing, Process, RunError, RunOptions, Shutdown, Silent, Timestamp, Topology, Tumbling, World,
};
use headwater_kafka::KafkaLog;
use headwater_tests::until;
use tempfile::TempDir;

use crate::kafka::support::{log, record, unique};

const SOON: Duration = Duration::from_secs(60);

/// Topics and group of one test.
struct Names {
    app: String,
    events: String,
    counts: String,
}

impl Names {
    fn new(log: &KafkaLog) -> Names {
        let app = unique("versions");
        let names = Names { events: format!("{app}-events"), counts: format!("{app}-counts"), app };
        let topic = NewTopic {
            name: names.events.clone(),
            partitions: 2,
            replication: None,
            config: [("retention.ms".into(), "-1".into())].into(),
        };
        log.admin().and_then(|mut admin| admin.create(&[topic])).expect("topics can be made");
        names
    }

    fn send(&self, log: &KafkaLog, records: usize) {
        let topic = self.events.as_str().into();
        let mut producer = log.producer(&ProducerConfig { transactional_id: None }).expect("a producer");
        for number in 0..records {
            let key = format!("key-{}", number % 5);
            let partition = (number % 2) as i32;
            let timestamp = Timestamp::from_millis(1000 + number as i64);
            producer
                .send(Outgoing { key: Some(key.as_bytes()), timestamp, ..record(&topic, partition, "1") })
                .expect("it is taken");
        }
        producer.flush().expect("it is written");
    }

    /// Committed results so far.
    fn results(&self, log: &KafkaLog) -> Vec<String> {
        let mut reader = crate::kafka::support::reader(log, false);
        let mut results = Vec::new();
        for partition in 0..2 {
            let partition = headwater::TopicPartition::new(self.counts.as_str(), partition);
            reader.assign(&[(partition.clone(), 0)]).expect("the topic is there");
            let records = crate::kafka::support::read_to_end(reader.as_mut()).0;
            results.extend(records.iter().map(|record| {
                let text =
                    |bytes: &Option<bytes::Bytes>| String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned();
                format!("{} {}", text(&record.key), text(&record.value))
            }));
            reader.unassign(&[partition]).expect("it was assigned");
        }
        results.sort();
        results
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Version {
    First,
    /// The store has another name.
    Renamed,
    /// The windows have another length.
    Longer,
    /// Keeps something more.
    More,
}

fn topology(names: &Names, version: Version, t: &mut Topology) {
    let events = t.input::<String, u64>(&names.events);
    events.count(if version == Version::Renamed { "sum" } else { "total" }).to(&names.counts);
    let length = Duration::from_secs(if version == Version::Longer { 120 } else { 60 });
    events.window(Tumbling::of(length)).count("minutes");
    if version == Version::More {
        events.fold("largest", |largest: &mut u64, event, _| {
            *largest = (*largest).max(*event);
            None::<()>
        });
    }
}

fn prepare(log: &KafkaLog, names: &Names, version: Version, state: &Path, accepted: &[&str]) -> Result<Process, RunError> {
    let blueprint = Blueprint::of(&names.app, |t| topology(names, version, t)).expect("the topology is valid");
    let stores = RocksStores::open(state, &names.app, StoreOptions::default()).expect("the directory is ours");
    let process_id = stores.instance_id().to_owned();
    let observer: Arc<dyn Observer> = Arc::new(Silent);
    let world = World { log: Arc::new(log.clone()), stores: Arc::new(stores), observer };
    let accepted_changes = accepted.iter().map(|name| (*name).to_owned()).collect();
    Process::prepare(&blueprint, world, RunOptions { process_id, accepted_changes, ..RunOptions::default() })
}

#[test]
fn a_changed_topology_is_refused_or_taken_over_knowingly() {
    let log = log();
    let names = Names::new(&log);
    let (one, other) = (TempDir::new().expect("a directory"), TempDir::new().expect("a directory"));
    prepare(&log, &names, Version::First, one.path(), &[]).expect("it is the first");
    for version in [Version::Renamed, Version::Longer] {
        for state in [&one, &other] {
            let refused = prepare(&log, &names, version, state.path(), &[]).err().expect("it is refused");
            assert!(matches!(refused, RunError::TopologyChanged { .. }), "{refused}");
        }
    }
    let topic = format!("{}-sum-changelog", names.app);
    let exists =
        || !log.admin().and_then(|mut admin| admin.describe(std::slice::from_ref(&topic))).expect("the broker is up").is_empty();
    assert!(!exists(), "what is refused makes nothing");
    prepare(&log, &names, Version::Renamed, other.path(), &["total"]).expect("it was accepted");
    assert!(exists());
    prepare(&log, &names, Version::Renamed, one.path(), &[]).expect("it is in force now");
}

/// A test that fails must not wait for the processes it started.
struct StopWhenDropped<'a>([&'a Shutdown; 2]);

impl Drop for StopWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.iter().for_each(|shutdown| shutdown.request());
    }
}

#[test]
fn two_versions_in_one_group_end_with_the_newer_one_and_no_wrong_result() {
    let log = log();
    let names = Names::new(&log);
    let (one, other) = (TempDir::new().expect("a directory"), TempDir::new().expect("a directory"));
    let (for_old, for_new) = (Shutdown::new(), Shutdown::new());
    let old = prepare(&log, &names, Version::First, one.path(), &[]).expect("it is the first");
    names.send(&log, 20);
    thread::scope(|scope| {
        let _stop = StopWhenDropped([&for_old, &for_new]);
        let old = scope.spawn(|| old.run(&for_old));
        until("the old version has read everything", SOON, || (names.results(&log).len() == 20).then_some(()));
        let new = prepare(&log, &names, Version::More, other.path(), &[]).expect("what is added is accepted");
        let new = scope.spawn(|| new.run(&for_new));
        names.send(&log, 20);
        until("the old version stops", SOON, || old.is_finished().then_some(()));
        let why = old.join().expect("it does not panic").expect_err("another version took over");
        assert!(matches!(why, RunError::Superseded { .. }), "{why}");
        names.send(&log, 20);
        until("the new version has read the rest", SOON, || (names.results(&log).len() == 60).then_some(()));
        for_new.request();
        new.join().expect("it does not panic").expect("it stops cleanly");
    });
    // Each task counts a key on its own: partition and key are equally many, so each count comes once for each of both.
    let expected: Vec<String> =
        (0..5).flat_map(|key| (1..=6).flat_map(move |n| [format!("key-{key} {n}"), format!("key-{key} {n}")])).collect();
    assert_eq!(names.results(&log), expected);
    let refused = prepare(&log, &names, Version::First, one.path(), &[]).err().expect("the older one is refused");
    assert!(refused.to_string().contains("largest"), "{refused}");
}
