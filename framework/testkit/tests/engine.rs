//! The engine when things go wrong: zombies, restarts, producers that cannot register, inputs that fall silent.

use std::sync::Arc;
use std::time::Duration;

use headwater_core::engine::EngineOptions;
use headwater_core::port::{Log, LogError, Stores};
use headwater_core::{Blueprint, Plan, Timestamp, TopicPartition, Topology, Tumbling, seconds};
use headwater_testkit::{Call, Fault, LocalProcess, MemoryLog, MemoryStores, TestDriver, Timeouts, prepare};

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1000)
}

struct World {
    log: MemoryLog,
    plan: Arc<Plan>,
}

impl World {
    fn new(inputs: &[&str], partitions: i32, topology: impl Fn(&mut Topology)) -> World {
        let log = MemoryLog::with_timeouts(Timeouts::default());
        inputs.iter().for_each(|topic| log.create_topic(topic, partitions));
        let plan = prepare(&Blueprint::of("app", topology).unwrap(), &log).unwrap();
        World { log, plan }
    }

    fn process(&self, id: &str) -> LocalProcess {
        let (log, stores): (Arc<dyn Log>, Arc<dyn Stores>) = (Arc::new(self.log.clone()), Arc::new(MemoryStores::new()));
        LocalProcess::start(&self.plan, &log, &stores, id, 1).unwrap()
    }

    fn send(&self, topic: &str, partition: i32, key: &str, second: i64) {
        self.log.append(topic, partition, Some(key.as_bytes()), Some(b"1"), at(second));
    }

    /// The values of an output, by partition and offset.
    fn values(&self, topic: &str, partitions: i32) -> Vec<String> {
        let records = (0..partitions).flat_map(|partition| self.log.read_all(topic, partition, true));
        records.map(|record| String::from_utf8(record.value.unwrap().to_vec()).unwrap()).collect()
    }

    fn position(&self, topic: &str) -> i64 {
        self.log.committed("app", &TopicPartition::new(topic, 0)).map_or(0, |committed| committed.offset)
    }

    fn expire(&self) {
        for member in self.log.members("app") {
            assert!(self.log.expire_member("app", &member.id));
        }
    }
}

/// Turns that leave what they did uncommitted.
fn work(process: &mut LocalProcess, turns: usize) {
    for _ in 0..turns {
        process.work().unwrap();
    }
}

fn count(t: &mut Topology) {
    t.input::<String, i64>("events").count("counts").to("totals");
}

#[test]
fn who_has_caught_up_commits_on_a_beat_and_who_is_behind_processes_for_an_interval_first() {
    let world = World::new(&["events"], 1, count);
    let mut process = world.process("a");
    process.settle().unwrap();
    // Milliseconds go by, records come, there is one turn: the position that is committed then.
    let mut after = |millis: u64, records: i64| {
        process.advance(Duration::from_millis(millis));
        (0..records).for_each(|second| world.send("events", 0, "k", second));
        process.work().unwrap();
        world.position("events")
    };
    assert_eq!(after(100, 1), 1, "nothing was committed for an interval");
    assert_eq!(after(60, 1), 1);
    assert_eq!(after(40, 0), 2, "an interval after the last commit began, not after its first record");
    // More than are processed in a turn.
    assert_eq!(after(60, 2_000), 2);
    assert_eq!(after(40, 0), 2, "there is more to process");
    let committed = after(60, 0);
    assert!((3..2_002).contains(&committed), "after an interval it is time all the same: {committed}");
}

#[test]
fn a_process_that_was_expired_while_paused_commits_nothing() {
    let world = World::new(&["events"], 1, count);
    let (mut zombie, mut heir) = (world.process("zombie"), world.process("heir"));
    zombie.settle().unwrap();
    (0..3).for_each(|second| world.send("events", 0, "k", second));
    work(&mut zombie, 3);
    assert_eq!(world.position("events"), 0, "it has processed, and committed nothing");

    world.expire();
    heir.settle().unwrap();
    assert_eq!(world.log.members("app").len(), 1);
    // What the zombie left open holds readers back until it times out.
    world.log.advance(Duration::from_secs(11));
    heir.settle().unwrap();
    let (values, position) = (world.values("totals", 1), world.position("events"));
    assert_eq!((values.as_slice(), position), (&["1".to_owned(), "2".into(), "3".into()][..], 3));

    zombie.settle().unwrap();
    heir.settle().unwrap();
    zombie.settle().unwrap();
    assert_eq!(world.values("totals", 1), ["1", "2", "3"]);
    world.send("events", 0, "k", 4);
    for _ in 0..8 {
        zombie.turn().unwrap();
        heir.turn().unwrap();
    }
    assert_eq!(world.values("totals", 1), ["1", "2", "3", "4"], "whoever owns the partition now");
}

#[test]
fn a_zombie_that_commits_before_it_asks_the_group_is_refused() {
    let world = World::new(&["events"], 1, count);
    let mut zombie = world.process("zombie");
    zombie.settle().unwrap();
    world.send("events", 0, "k", 1);
    work(&mut zombie, 2);
    world.expire();
    let report = zombie.workers_mut()[0].commit(Duration::ZERO).unwrap();
    assert!(!report.ok);
    assert_eq!((world.values("totals", 1), world.position("events")), (vec![], 0));
    zombie.settle().unwrap();
    assert_eq!(world.values("totals", 1), ["1"], "as a member again it may");
}

#[test]
fn a_producer_that_cannot_register_yet_is_tried_again() {
    for error in [LogError::Retriable("loading".into()), LogError::Fenced("taken".into())] {
        let world = World::new(&["events"], 1, count);
        world.send("events", 0, "k", 1);
        for _ in 0..2 {
            let transactional_id = Some("app-a-0".to_owned());
            world.log.inject(Fault { transactional_id, call: Call::Init, error: error.clone() });
        }
        let mut process = world.process("a");
        process.settle().unwrap();
        assert_eq!(world.values("totals", 1), ["1"]);
    }
}

#[test]
fn a_log_that_does_not_answer_is_asked_for_one_task_between_two_looks_at_orders() {
    let world = World::new(&["events"], 3, |t| t.input::<String, i64>("events").to("copies"));
    let fault = Fault { transactional_id: None, call: Call::Committed, error: LogError::Retriable("broker away".into()) };
    (0..2).for_each(|_| world.log.inject(fault.clone()));
    let mut process = world.process("a");
    let worker = &mut process.workers_mut()[0];
    for id in world.plan.tasks() {
        worker.start(id).unwrap();
    }
    assert_eq!(worker.task_counts(), (3, 0), "the first was asked for, the others wait behind it");
    worker.poll(Duration::ZERO).unwrap();
    assert_eq!(worker.task_counts(), (3, 0), "the second was asked for");
    worker.poll(Duration::ZERO).unwrap();
    assert_eq!(worker.task_counts(), (0, 3), "there is an answer for all");
}

#[test]
fn what_was_not_begun_is_not_aborted() {
    let world = World::new(&["events"], 1, count);
    let mut process = world.process("a");
    process.settle().unwrap();
    let (transactional_id, error) = (Some("app-a-0".to_owned()), LogError::Retriable("not now".into()));
    world.log.inject(Fault { transactional_id, call: Call::Begin, error });
    world.send("events", 0, "k", 1);
    process.settle().unwrap();
    assert_eq!(world.values("totals", 1), ["1"]);
}

/// Counts in windows over two inputs of which one falls silent and comes back.
fn two_inputs(t: &mut Topology) {
    let (a, b) = (t.input::<String, i64>("a"), t.input::<String, i64>("b"));
    a.merge(&b).window(Tumbling::of(seconds(10))).count("hits").to("hits");
}

#[test]
fn a_window_that_closed_while_an_input_was_idle_stays_closed_also_over_restarts() {
    for (restart, lose_disk) in [(false, false), (true, false), (true, true)] {
        let mut driver = TestDriver::new("app", two_inputs);
        let send = |driver: &mut TestDriver, topic: &str, second| driver.send(topic, &"k".to_owned(), &1_i64, at(second));
        send(&mut driver, "a", 1);
        send(&mut driver, "b", 2);
        driver.advance(seconds(1));
        driver.advance(seconds(31));
        // Input b is idle: a alone closes the window [0, 10).
        send(&mut driver, "a", 50);
        // It comes back, and event time as committed with it must not follow it back.
        send(&mut driver, "b", 3);
        if restart {
            if lose_disk { driver.restart_without_disk() } else { driver.restart() }
        }
        send(&mut driver, "b", 4);
        let hits = driver.read::<headwater_core::Windowed<String>, u64>("hits");
        let hits: Vec<_> = hits.into_iter().map(|out| (out.key.window.start(), out.value)).collect();
        assert_eq!(hits, [(at(0), 1), (at(0), 2), (at(50), 1)], "restart {restart}, without disk {lose_disk}");
    }
}

#[test]
fn an_input_is_found_idle_while_another_one_is_busy() {
    let world = World::new(&["a", "b"], 1, |t| {
        let (a, b) = (t.input::<String, i64>("a"), t.input::<String, i64>("b"));
        a.merge(&b).rekey("by-value", |value| *value).count("counts").to("totals");
    });
    let mut process = world.process("p");
    world.send("b", 0, "k", 0);
    process.settle().unwrap();
    for second in 0..40 {
        // Never a turn without something to process.
        world.send("a", 0, "k", second);
        process.advance(seconds(1));
        process.work().unwrap();
    }
    let metadata = world.log.committed("app", &TopicPartition::new("b", 0)).unwrap().metadata;
    assert!(metadata.contains('!'), "{metadata} says idle");
}

#[test]
fn partitions_that_get_nothing_learn_the_time_while_others_are_busy() {
    let world = World::new(&["events"], 1, |t| {
        let events = t.input::<String, i64>("events");
        events.filter(|value| *value == 2).rekey("rare", |value| *value).count("rares").to("rare-counts");
        events.rekey("common", |value| *value).count("commons").to("common-counts");
    });
    let mut process = world.process("p");
    process.settle().unwrap();
    for second in 0..20 {
        world.send("events", 0, "k", second);
        process.advance(Duration::from_millis(200));
        process.work().unwrap();
    }
    let markers = world.log.read_all("app-rare-repartition", 0, true);
    assert!(markers.len() > 3, "{} markers while records flowed", markers.len());
}

#[test]
fn input_that_waits_is_bounded_over_all_tasks() {
    const TOTAL: usize = 4 << 20;
    let world = World::new(&["events"], 4, count);
    let (log, stores): (Arc<dyn Log>, Arc<dyn Stores>) = (Arc::new(world.log.clone()), Arc::new(MemoryStores::new()));
    let options = EngineOptions { buffer_total_bytes: TOTAL, ..EngineOptions::default() };
    let mut process = LocalProcess::start_with(&world.plan, &log, &stores, "p", 1, &options).unwrap();
    process.settle().unwrap();
    for number in 0..100_000 {
        world.send("events", number % 4, "some-key", 1);
    }
    // What is fetched is not processed: more and more would wait.
    for _ in 0..60 {
        process.workers_mut()[0].poll(Duration::ZERO).unwrap();
    }
    let (records, bytes) = process.workers()[0].buffered();
    assert!(records > 1_000 && bytes < TOTAL as u64, "{records} records, {bytes} bytes");
    process.settle().unwrap();
    assert_eq!((0..4).map(|partition| world.log.read_all("totals", partition, true).len()).sum::<usize>(), 100_000);
}

#[test]
fn a_member_that_lost_an_input_which_others_trimmed_goes_on() {
    let world = World::new(&["events"], 1, count);
    let mut zombie = world.process("zombie");
    world.send("events", 0, "k", 1);
    zombie.settle().unwrap();
    world.expire();
    let mut owner = world.process("owner");
    for second in 2..6 {
        world.send("events", 0, "k", second);
    }
    owner.settle().unwrap();
    world.log.delete_before("events", 0, world.position("events"));
    // Its worker reads on before the group has told the process anything.
    zombie.serve_worker(0).unwrap();
    owner.stop().unwrap();
    world.send("events", 0, "k", 6);
    zombie.settle().unwrap();
    assert_eq!(world.values("totals", 1).last().map(String::as_str), Some("6"));
}
