//! A hand-over between generations that do not agree on which inputs are idle: timers that the old one has fired are not fired again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_core::handover::Side;
use headwater_core::port::{Log, ReaderConfig, Stores};
use headwater_core::{
    Blueprint, Cx, Failure, Fired, On, OnTimer, Output, Setup, Timer, Timestamp, TopicPartition, Topology, Transform,
};
use headwater_runtime::backfill::Ended;
use headwater_runtime::{Process, RunOptions, Seat, Shutdown, Silent, World};
use headwater_testkit::{MemoryLog, MemoryStores};

const SOON: Duration = Duration::from_secs(60);

/// Rings once for each event, a second later.
struct Alarm {
    timer: Timer,
    rung: Output<i64>,
}

impl Transform for Alarm {
    type Key = String;
    fn setup(s: &mut Setup<Self>) -> Self {
        Alarm { timer: s.timer("timer"), rung: s.output("rung") }
    }
}

impl On<i64> for Alarm {
    fn on(&mut self, _event: &i64, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        self.timer.at(cx, cx.timestamp() + Duration::from_secs(1))
    }
}

impl OnTimer for Alarm {
    fn on_timer(&mut self, fired: Fired, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        self.rung.send(cx, &fired.at().as_millis())
    }
}

/// Both inputs are read by one task: the silent one holds event time back until it is found idle.
fn topology(t: &mut Topology) {
    let busy = t.input::<String, i64>("busy");
    let silent = t.input::<String, i64>("silent");
    busy.merge(&silent).transform::<Alarm>("alarm").output(|alarm| &alarm.rung).to("rung");
}

fn write(log: &MemoryLog, topic: &str, key: &str, second: i64) {
    log.append(topic, 0, Some(key.as_bytes()), Some(b"0"), Timestamp::from_millis(second * 1000));
}

fn run(log: &MemoryLog, name: &str, side: Side, idle: Duration, shutdown: &Shutdown) -> Ended {
    let stores: Arc<dyn Stores> = Arc::new(MemoryStores::new());
    let world = World { log: Arc::new(log.clone()), stores, observer: Arc::new(Silent) };
    let options = RunOptions { process_id: name.into(), idle_timeout: idle, ..RunOptions::default() };
    let blueprint = Blueprint::of(name, topology).unwrap();
    let seat = Seat { app: "app".into(), side };
    Process::prepare_generation(&blueprint, seat, world, options).unwrap().run(shutdown).unwrap()
}

/// How often each alarm rang.
fn rung(log: &MemoryLog) -> BTreeMap<(String, String), usize> {
    let Ok(mut reader) = log.reader(&ReaderConfig { group: "check".into(), read_uncommitted: false }) else {
        return BTreeMap::new();
    };
    let partition = TopicPartition::new("rung", 0);
    let Ok(ends) = reader.ends(std::slice::from_ref(&partition)) else { return BTreeMap::new() };
    reader.assign(&[(partition, 0)]).unwrap();
    let (mut position, mut rung) = (0, BTreeMap::new());
    while position < ends[0].end {
        for batch in reader.poll(1000, Duration::from_millis(10)).unwrap() {
            position = batch.position;
            for record in batch.records {
                let text = |bytes: Option<bytes::Bytes>| String::from_utf8_lossy(&bytes.unwrap()).into_owned();
                *rung.entry((text(record.key), text(record.value))).or_default() += 1;
            }
        }
    }
    rung
}

#[test]
fn what_was_due_for_the_old_generation_is_not_due_again() {
    let log = MemoryLog::new();
    ["busy", "silent"].iter().for_each(|topic| log.create_topic(topic, 1));
    write(&log, "silent", "s", 0);
    (0..10).for_each(|second| write(&log, "busy", "b", second));
    let (old, new) = (Shutdown::new(), Shutdown::new());
    std::thread::scope(|scope| {
        // This one finds the silent input idle soon, the next one never.
        let old = scope.spawn(|| run(&log, "app", Side::Old, Duration::from_millis(200), &old));
        until("the alarms of seconds 1 to 9 rang", || rung(&log).len() >= 9);
        let new_process = scope.spawn(|| run(&log, "app.v2", Side::New { silent: true }, Duration::from_secs(3600), &new));
        assert_eq!(old.join().unwrap(), Ended::HandedOver);
        // Now both inputs are far ahead of everything.
        write(&log, "busy", "b", 100);
        write(&log, "silent", "s", 100);
        write(&log, "busy", "end", 102);
        write(&log, "silent", "end", 102);
        until("the last alarms rang", || rung(&log).keys().filter(|(_, at)| at == "101000").count() == 2);
        new.request();
        assert_eq!(new_process.join().unwrap(), Ended::Stopped);
    });
    let twice: Vec<_> = rung(&log).into_iter().filter(|(_, times)| *times != 1).collect();
    assert_eq!(twice, [], "each alarm rings once");
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < SOON, "not within {SOON:?}: {what}");
        std::thread::yield_now();
    }
}
