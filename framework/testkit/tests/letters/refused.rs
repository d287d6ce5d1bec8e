//! What the log refuses for good is found among everything else, and only that is given up.

use std::sync::Arc;

use headwater_core::port::{Log, NewTopic, Stores};
use headwater_core::{Blueprint, Cx, Failure, Fired, On, OnTimer, Output, Policy, Setup, Timer, Timestamp, Transform, seconds};
use headwater_testkit::{LocalProcess, MemoryLog, MemoryStores, TestDriver, prepare};

use crate::world::{Kind, LETTERS, World, event, failure, header, is_letter, topology};

/// Sends these, one thousandth event per kind among fine ones, and answers the totals that must come out.
fn send(world: &World, kinds: &[Kind]) -> Vec<String> {
    let mut sum = 0;
    let mut totals = Vec::new();
    for (number, kind) in kinds.iter().enumerate() {
        let amount = number as i64 + 1;
        world.send(1, &event(*kind, amount));
        if matches!(kind, Kind::Fine | Kind::RefusedBehind) {
            sum += amount;
            totals.push(sum.to_string());
        }
    }
    totals
}

#[test]
fn a_refused_record_is_found_wherever_it_is() {
    for kind in [Kind::Refused, Kind::RefusedBehind, Kind::RefusedState] {
        for place in [0, 1, 7, 99, 100, 299] {
            for policy in [Policy::Skip, Policy::DeadLetter] {
                let world = World::new(1, topology(policy));
                let kinds: Vec<Kind> = (0..300).map(|number| if number == place { kind } else { Kind::Fine }).collect();
                let totals = send(&world, &kinds);
                let mut process = world.process("a");
                process.settle().unwrap();
                assert_eq!(world.values("totals"), totals, "{kind:?} at {place}");
                let groups = world.values("groups").len();
                assert_eq!(groups, 299, "{kind:?} at {place}");
                assert!(world.values("texts").is_empty());
                if policy == Policy::DeadLetter {
                    let letters = world.letters();
                    assert_eq!(letters.len(), 1, "{kind:?} at {place}");
                    let said = header(&letters[0], "__headwater.errors.message");
                    assert!(said.contains("it does not like it"), "{said}");
                    assert_eq!(header(&letters[0], "__headwater.errors.stage"), "produce");
                }
                let reasons: u64 = process.workers_mut()[0].take_report().dropped.iter().map(|(_, _, count)| count).sum();
                assert!(reasons >= 1);
            }
        }
    }
}

#[test]
fn many_refused_ones_are_all_found() {
    let world = World::new(3, topology(Policy::DeadLetter));
    let kinds = [Kind::Fine, Kind::Refused, Kind::Fine, Kind::RefusedState, Kind::RefusedBehind, Kind::Undecodable];
    for number in 0..120 {
        world.send(number, &event(kinds[number % kinds.len()], number as i64));
    }
    world.process("a").settle().unwrap();
    assert_eq!(world.faults().len(), 80);
    let mut distinct = world.faults();
    distinct.dedup();
    assert_eq!(distinct.len(), 80, "each once");
    assert_eq!((world.values("totals").len(), world.values("groups").len()), (60, 40));
}

#[test]
fn by_default_the_application_stops_at_the_record_and_keeps_what_is_before_it() {
    let world = World::new(1, topology(Policy::Fail));
    let totals = send(&world, &[Kind::Fine, Kind::Fine, Kind::Refused, Kind::Fine]);
    let mut process = world.process("a");
    let error = failure(process.settle());
    assert!(error.contains("the record at offset 2 of events-0") && error.contains("texts-0: it does not like it"), "{error}");
    assert_eq!(world.values("totals"), totals[..2], "and nothing after it");
}

#[test]
fn a_letter_that_does_not_fit_leaves_out_the_value_and_then_everything() {
    // What the dead-letter topic takes, and what is left of an undecodable record of 3000 bytes with a key of 1200.
    for (limit, omitted) in [(8000, "-"), (3000, "value"), (1500, "key, value, headers")] {
        let log = MemoryLog::new();
        log.create_topic("events", 1);
        let config = [("max.message.bytes".to_owned(), limit.to_string())].into();
        log.admin().unwrap().create(&[NewTopic { name: LETTERS.into(), partitions: 1, replication: None, config }]).unwrap();
        let plan = prepare(&Blueprint::of("app", topology(Policy::DeadLetter)).unwrap(), &log).unwrap();
        log.append("events", 0, Some("k".repeat(1200).as_bytes()), Some(&[b'x'; 3000]), Timestamp::from_millis(1));
        let (port, stores): (Arc<dyn Log>, Arc<dyn Stores>) = (Arc::new(log.clone()), Arc::new(MemoryStores::new()));
        LocalProcess::start(&plan, &port, &stores, "a", 1).unwrap().settle().unwrap();
        let letters = log.read_all(LETTERS, 0, true);
        assert_eq!(letters.len(), 1);
        assert_eq!(header(&letters[0], "__headwater.errors.omitted"), omitted, "{limit}");
        assert_eq!(header(&letters[0], "__headwater.errors.offset"), "0");
        assert_eq!(letters[0].value.is_some(), omitted == "-");
        assert_eq!(letters[0].key.is_some(), omitted != "key, value, headers");
    }
}

#[test]
fn a_letter_that_is_refused_is_written_with_less_and_at_the_end_stops_the_application() {
    let world = World::new(1, topology(Policy::DeadLetter));
    world.log.refuse(|record| (is_letter(record.topic) && record.value.is_some()).then(|| "no values here".to_owned()));
    let totals = send(&world, &[Kind::Fine, Kind::Panic, Kind::Fine]);
    world.process("a").settle().unwrap();
    assert_eq!(world.values("totals"), totals);
    let letters = world.letters();
    assert_eq!((letters.len(), header(&letters[0], "__headwater.errors.omitted").as_str()), (1, "value"));
    assert_eq!(
        header(&letters[0], "__headwater.errors.message"),
        "panicked: a panic on 2",
        "why it failed, not why its value did"
    );

    let world = World::new(1, topology(Policy::DeadLetter));
    world.log.refuse(|record| is_letter(record.topic).then(|| "no letters here".to_owned()));
    let totals = send(&world, &[Kind::Fine, Kind::Panic, Kind::Fine]);
    let error = failure(world.process("a").settle());
    assert!(error.contains("app-dead-letters-0 refuses a record: no letters here"), "{error}");
    assert_eq!(world.values("totals"), totals[..1]);
}

#[test]
fn what_nobody_is_at_fault_for_stops_the_application() {
    let world = World::new(1, topology(Policy::Skip));
    // A marker: event time for a repartition topic.
    world.log.refuse(|record| (record.key.is_none() && record.value.is_none()).then(|| "a key is needed".to_owned()));
    send(&world, &[Kind::Fine, Kind::Panic]);
    world.send(1, &event(Kind::Fine, 5));
    world.log.append("events", 0, Some(b"k"), Some(b"{"), Timestamp::from_millis(90_000));
    let mut process = world.process("a");
    process.advance(seconds(60));
    let error = failure(process.settle().and_then(|()| {
        process.advance(seconds(60));
        process.settle()
    }));
    assert!(error.contains("by-group-repartition-0 refuses a record: a key is needed"), "{error}");
}

/// Says its key a second after it heard of it.
struct Echo {
    timer: Timer,
    said: Output<String>,
}

impl Transform for Echo {
    type Key = String;
    fn setup(s: &mut Setup<Self>) -> Self {
        Echo { timer: s.timer("timer"), said: s.output("said") }
    }
}

impl On<i64> for Echo {
    fn on(&mut self, _event: &i64, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        self.timer.at(cx, cx.timestamp() + seconds(1))
    }
}

impl OnTimer for Echo {
    fn on_timer(&mut self, _fired: Fired, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        self.said.send(cx, &format!("says {}", cx.key()))
    }
}

fn echo() -> TestDriver {
    let driver = TestDriver::new("app", |t| {
        let (a, b) = (t.input::<String, i64>("a"), t.input::<String, i64>("b"));
        let echo = a.merge(&b).transform::<Echo>("echo").on_timer_error(Policy::DeadLetter);
        echo.output(|echo| &echo.said).to("said");
    });
    driver.log().refuse(|record| record.value.is_some_and(|value| value == br#""says k7""#).then(|| "seven".to_owned()));
    driver
}

#[track_caller]
fn only_seven_is_a_letter(driver: &mut TestDriver) {
    assert_eq!(driver.read::<String, String>("said").len(), 9);
    let letters = driver.dead_letters();
    assert_eq!(letters.len(), 1);
    let letter = &letters[0];
    assert_eq!((letter.key.as_deref(), header(letter, "__headwater.errors.stage").as_str()), (Some(&b"k7"[..]), "produce"));
    assert_eq!(header(letter, "__headwater.errors.operator"), "echo");
}

#[test]
fn an_output_of_a_timer_that_is_refused_is_the_timers_failure() {
    let mut driver = echo();
    for number in 0..10 {
        driver.send("a", &format!("k{number}"), &1_i64, Timestamp::from_millis(number));
    }
    driver.send("b", &"end".to_owned(), &1_i64, Timestamp::from_millis(50_000));
    // All fire at once, in the step of this record.
    driver.send("a", &"end".to_owned(), &1_i64, Timestamp::from_millis(60_000));
    driver.advance(seconds(1));
    only_seven_is_a_letter(&mut driver);
}

#[test]
fn a_timer_that_fires_because_an_input_fell_idle_is_found_too() {
    let mut driver = echo();
    for number in 0..10 {
        driver.send("a", &format!("k{number}"), &1_i64, Timestamp::from_millis(number));
    }
    // Input b never spoke and holds time back, until it is idle; each try has to find that out anew.
    for _ in 0..10 {
        driver.send("a", &"end".to_owned(), &1_i64, Timestamp::from_millis(60_000));
        driver.advance(seconds(1));
        driver.advance(seconds(31));
    }
    only_seven_is_a_letter(&mut driver);
}

#[test]
fn without_transactions_it_works_too() {
    let world = World::new(1, topology(Policy::DeadLetter));
    let kinds: Vec<Kind> = (0..100).map(|number| if number == 60 { Kind::Refused } else { Kind::Fine }).collect();
    let totals = send(&world, &kinds);
    world.send(1, &event(Kind::Undecodable, 1));
    let (log, stores) = world.handles();
    let mut process = LocalProcess::start_at_least_once(&world.plan, &log, &stores, 1).unwrap();
    process.settle().unwrap();
    // What was written before the refusal is written again, as promised; the result is the same.
    assert_eq!(world.values("totals").last(), totals.last());
    let mut faults = world.faults();
    faults.dedup();
    assert_eq!(faults, ["events-0@100 decode", "events-0@60 produce"]);
}
