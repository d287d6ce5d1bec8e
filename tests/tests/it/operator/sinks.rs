//! Systems outside of Kafka in a replay (B8), on Apache Kafka: one that forbids it is not even opened, unless it is named.

use std::sync::Arc;
use std::time::Duration;

use headwater::adapters::{RocksStores, StoreOptions};
use headwater::port::{Log, ProducerConfig};
use headwater::{
    Backlog, Blueprint, Destination, Edge, Outgoing, Process, ReplayEffect, Request, RunOptions, Shutdown, Silent, TestSink,
    Timestamp, TopicName, Topology, World, partition_for,
};
use headwater_core::bounded::Mode;
use headwater_kafka::KafkaLog;
use headwater_runtime::backfill::{Ended, Goal, Registry, plan};
use headwater_tests::until;
use tempfile::TempDir;

use crate::kafka::support::{log, new_topic, unique};

const PARTITIONS: i32 = 3;
const EVENTS: u64 = 3_000;
const LONG: Duration = Duration::from_secs(60);

/// One that must not hear anything twice, one that may.
struct Outside {
    pager: TestSink,
    mirror: TestSink,
}

impl Outside {
    fn new() -> Outside {
        Outside { pager: TestSink::new(ReplayEffect::Forbidden), mirror: TestSink::new(ReplayEffect::Idempotent) }
    }

    fn blueprint(&self, app: &str, input: &TopicName) -> Arc<Blueprint> {
        let (pager, mirror) = (self.pager.clone(), self.mirror.clone());
        let blueprint = Blueprint::of(app, |t: &mut Topology| {
            let events = t.input::<String, u64>(input);
            events.deliver("pager", pager);
            events.deliver("mirror", mirror);
        });
        blueprint.expect("the topology is valid")
    }
}

/// What reached a sink: delivery is at least once.
fn reached(sink: &TestSink) -> Vec<u64> {
    let mut numbers: Vec<u64> = sink.arrived::<String, u64>().into_iter().map(|out| out.value).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

fn write(log: &KafkaLog, topic: &TopicName) {
    let mut producer = log.producer(&ProducerConfig { transactional_id: None }).expect("a producer");
    for number in 0..EVENTS {
        let (key, value) = (format!("k{}", number % 7), number.to_string());
        let outgoing = Outgoing {
            topic,
            partition: partition_for(Some(key.as_bytes()), PARTITIONS, 0),
            key: Some(key.as_bytes()),
            value: Some(value.as_bytes()),
            timestamp: Timestamp::from_millis(1_000_000 + number as i64),
            headers: &[],
            track_offset: false,
        };
        producer.send(outgoing).expect("the event is taken");
    }
    producer.flush().expect("the events are written");
}

struct Fixture {
    log: KafkaLog,
    input: TopicName,
    app: String,
    directory: TempDir,
}

impl Fixture {
    fn world(&self, app: &str) -> World {
        let stores = RocksStores::open(self.directory.path(), app, StoreOptions::default()).expect("a state directory");
        World { log: Arc::new(self.log.clone()), stores: Arc::new(stores), observer: Arc::new(Silent) }
    }

    fn live(&self, outside: &Outside) {
        let blueprint = outside.blueprint(&self.app, &self.input);
        let process = Process::prepare(&blueprint, self.world(&self.app), RunOptions::default()).expect("it can start");
        let mut backlog = Backlog::of(process.plan(), &self.log).expect("the broker is up");
        let shutdown = Shutdown::new();
        std::thread::scope(|scope| {
            let running = scope.spawn(|| process.run(&shutdown));
            until("everything is consumed", LONG, || backlog.remaining().ok().filter(|remaining| *remaining == 0));
            shutdown.request();
            running.join().expect("no panic").expect("it stops cleanly");
        });
    }

    fn replay(&self, id: &str, allow_sinks: &[&str]) -> Outside {
        let outside = Outside::new();
        let blueprint = outside.blueprint(&self.app, &self.input);
        let request = Request {
            destination: Some(Destination::Suffix(format!(".{id}"))),
            allow_sinks: allow_sinks.iter().map(|sink| (*sink).to_owned()).collect(),
            ..Request::range(id, Edge::Earliest, Edge::Now)
        };
        let record = plan(&blueprint, &self.log, &request, Timestamp::from_millis(0)).expect("it can be planned").record;
        let record = Registry::of(&blueprint, &self.log).keep(&record).expect("the plan is kept");
        let goal = Goal {
            app: self.app.clone(),
            control: headwater_core::control_topic(&self.app),
            id: record.id.clone(),
            tell: Box::new(|_| ()),
        };
        let named = outside.blueprint(&record.app, &self.input);
        let options = RunOptions { workers: 2, ..RunOptions::default() };
        let process = Process::prepare_bounded(&named, record.bounds(), goal, self.world(&record.app), options);
        let ended = process.expect("it can start").run(&Shutdown::new()).expect("it comes to its end");
        assert_eq!(ended, Ended::Complete);
        outside
    }
}

#[test]
fn a_replay_does_not_reach_what_forbids_it() {
    let log = log();
    let input = new_topic(&log, "sink-events", PARTITIONS);
    let fixture = Fixture { log, input, app: unique("sinks"), directory: TempDir::new().expect("a temporary directory") };
    write(&fixture.log, &fixture.input);
    let all: Vec<u64> = (0..EVENTS).collect();
    let live = Outside::new();
    fixture.live(&live);
    assert_eq!((reached(&live.pager), reached(&live.mirror)), (all.clone(), all.clone()), "live, both hear everything");
    let replayed = fixture.replay("again", &[]);
    assert_eq!(replayed.pager.calls(), [], "not even opened");
    assert_eq!(reached(&replayed.mirror), all);
    let allowed = fixture.replay("paged", &["pager"]);
    assert_eq!((reached(&allowed.pager), reached(&allowed.mirror)), (all.clone(), all));
}
