//! A generation that writes to outputs of other names, on the log in memory: for good, also after a restart, and so do those that come after it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use headwater_core::bounded::{Mode, RunRecord};
use headwater_core::handover::Side;
use headwater_core::port::{Log, ReaderConfig};
use headwater_core::{Blueprint, Timestamp, TopicPartition, Topology};
use headwater_runtime::backfill::{BackfillError, Destination, Edge, Ended, Registry, Request, begin, plan};
use headwater_runtime::{Backlog, Process, RunError, RunOptions, Seat, Shutdown, Silent, World};
use headwater_testkit::{MemoryLog, MemoryStores};

const APP: &str = "app";
const SOON: Duration = Duration::from_secs(60);

/// The results of a key are 1, 2, 3 and so on.
fn topology(t: &mut Topology) {
    t.input::<String, i64>("events").count("sums").to("sums");
}

struct Fixture {
    log: MemoryLog,
    blueprint: Arc<Blueprint>,
}

impl Fixture {
    fn new() -> Fixture {
        let log = MemoryLog::new();
        log.create_topic("events", 1);
        Fixture { log, blueprint: Blueprint::of(APP, topology).unwrap() }
    }

    fn write(&self, count: i64) {
        for number in 0..count {
            self.log.append("events", 0, Some(b"k"), Some(b"1"), Timestamp::from_millis(number));
        }
    }

    fn run(&self, name: &str, side: Side, shutdown: &Shutdown) -> Result<Ended, RunError> {
        let world = World { log: Arc::new(self.log.clone()), stores: Arc::new(MemoryStores::new()), observer: Arc::new(Silent) };
        let options = RunOptions { process_id: name.into(), ..RunOptions::default() };
        let blueprint = Blueprint::of(name, topology).unwrap();
        Process::prepare_generation(&blueprint, Seat { app: APP.into(), side }, world, options)?.run(shutdown)
    }

    fn start<'a, 's>(
        &'a self,
        scope: &'s Scope<'s, 'a>,
        name: &'a str,
        side: Side,
        stop: &'a Shutdown,
    ) -> ScopedJoinHandle<'s, Result<Ended, RunError>> {
        scope.spawn(move || self.run(name, side, stop))
    }

    fn wait_until_consumed(&self, name: &str) {
        let plan = Blueprint::of(name, topology).unwrap().plan(&BTreeMap::from([("events".to_owned(), 1)])).unwrap();
        let mut backlog = Backlog::of(&plan, &self.log).unwrap();
        let began = Instant::now();
        while !backlog.remaining().is_ok_and(|remaining| remaining == 0) {
            assert!(began.elapsed() < SOON, "{name} has not consumed everything within {SOON:?}");
            std::thread::yield_now();
        }
    }

    fn request(&self, id: &str, destination: Option<Destination>) -> RunRecord {
        let request = match destination {
            Some(destination) => Request { destination: Some(destination), ..Request::then_live(id) },
            None => Request { mode: Mode::Diff, ..Request::range(id, Edge::Earliest, Edge::Now) },
        };
        plan(&self.blueprint, &self.log, &request, Timestamp::from_millis(0)).unwrap().record
    }

    fn follow(&self, id: &str, destination: Destination, silent: bool) -> Result<RunRecord, BackfillError> {
        let record = Registry::of(&self.blueprint, &self.log).keep(&self.request(id, Some(destination)))?;
        begin(&Blueprint::of(&record.app, topology).unwrap(), &record, silent, &self.log)?;
        Ok(record)
    }

    /// Every result in an output, in its order.
    fn results(&self, topic: &str) -> Vec<i64> {
        let mut reader = self.log.reader(&ReaderConfig { group: "check".into(), read_uncommitted: false }).unwrap();
        let partition = TopicPartition::new(topic, 0);
        let end = reader.ends(std::slice::from_ref(&partition)).unwrap()[0].end;
        reader.assign(&[(partition, 0)]).unwrap();
        let (mut position, mut results) = (0, Vec::new());
        while position < end {
            for batch in reader.poll(10_000, Duration::from_millis(10)).unwrap() {
                position = batch.position;
                let number = |value: &[u8]| String::from_utf8_lossy(value).parse::<i64>().unwrap();
                results.extend(batch.records.iter().map(|record| number(&record.value.clone().unwrap())));
            }
        }
        results
    }
}

/// 1, 2, 3 and so on.
fn up_to(last: i64) -> Vec<i64> {
    (1..=last).collect()
}

#[test]
fn a_generation_keeps_its_outputs_and_so_does_the_one_that_takes_over_from_it() {
    let fixture = Fixture::new();
    fixture.write(300);
    let stops: [Shutdown; 4] = Default::default();
    std::thread::scope(|scope| {
        let first = fixture.start(scope, APP, Side::Old, &stops[0]);
        fixture.wait_until_consumed(APP);
        let record = fixture.follow("v2", Destination::Suffix(".v2".into()), false).unwrap();
        assert_eq!((record.output_suffix.as_deref(), record.live_output("sums").as_str()), (Some(".v2"), "sums.v2"));
        let second = fixture.start(scope, "app.v2", Side::New { silent: false }, &stops[1]);
        assert_eq!(first.join().unwrap().unwrap(), Ended::HandedOver);
        fixture.write(200);
        fixture.wait_until_consumed("app.v2");
        stops[1].request();
        assert_eq!(second.join().unwrap().unwrap(), Ended::Stopped);
    });
    assert_eq!(fixture.results("sums"), up_to(300), "the first one is heard up to the cut, where it always was");
    assert_eq!(fixture.results("sums.v2"), up_to(500), "the other one from the beginning, elsewhere");

    std::thread::scope(|scope| {
        // Nobody tells it again.
        let again = fixture.start(scope, "app.v2", Side::Old, &stops[2]);
        fixture.write(100);
        fixture.wait_until_consumed("app.v2");
        assert_eq!(fixture.request("check", None).live_output("sums"), "sums.v2", "comparisons are with what is in force");
        let record = fixture.follow("v3", Destination::Same, true).unwrap();
        assert_eq!(record.output_suffix.as_deref(), Some(".v2"), "the same outputs are those of the generation in force");
        assert_eq!(record.outputs["sums"].as_deref(), Some("sums.v2"));
        let third = fixture.start(scope, "app.v3", Side::New { silent: true }, &stops[3]);
        assert_eq!(again.join().unwrap().unwrap(), Ended::HandedOver);
        fixture.write(50);
        fixture.wait_until_consumed("app.v3");
        stops[3].request();
        assert_eq!(third.join().unwrap().unwrap(), Ended::Stopped);
    });
    assert_eq!(fixture.results("sums"), up_to(300));
    assert_eq!(fixture.results("sums.v2"), up_to(650));
    let refused = fixture.follow("v4", Destination::Suffix(".v2".into()), false).unwrap_err();
    assert!(matches!(&refused, BackfillError::OutputInUse { topic } if topic == "sums.v2"), "{refused}");
}
