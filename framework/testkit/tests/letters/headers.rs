//! What a dead letter carries, and where failures count.

use std::collections::BTreeMap;

use headwater_core::{
    Cx, Failure, Fired, On, OnTimer, Output, Policy, Setup, Timer, Timestamp, Topology, Transform, Value, seconds,
};
use headwater_testkit::TestDriver;

use crate::world::{Kind, World, event, header, text, topology};

fn about(record: &headwater_core::Record) -> Vec<(String, String)> {
    record.headers.iter().map(|header| (header.key.to_string(), text(header.value.as_deref()))).collect()
}

#[test]
fn a_dead_letter_is_the_record_with_where_what_and_why() {
    let world = World::new(1, topology(Policy::DeadLetter));
    world.send(5, &event(Kind::Fine, 1));
    world.send(5, &event(Kind::Panic, 2));
    world.send(6, &event(Kind::Undecodable, 3));
    world.process("a").settle().unwrap();
    let letters = world.letters();
    assert_eq!(letters.len(), 2);
    // Undecodable ones are met when they come to the front, before the one in front of them has had its turn.
    let panicked = letters.iter().find(|letter| header(letter, "__headwater.errors.stage") == "process").unwrap();
    assert_eq!(text(panicked.key.as_deref()), "k1");
    assert_eq!(text(panicked.value.as_deref()), r#"{"kind":"Panic","group":"g2","amount":2}"#);
    assert_eq!(panicked.timestamp, Timestamp::from_millis(5));
    let expected = [
        ("app", "app"),
        ("task", "events-0"),
        ("topic", "events"),
        ("partition", "0"),
        ("offset", "1"),
        ("timestamp", "5"),
        ("stage", "process"),
        ("operator", "totals"),
        ("message", "panicked: a panic on 2"),
    ];
    let expected: Vec<_> = expected.map(|(name, value)| (format!("__headwater.errors.{name}"), value.to_owned())).into();
    assert_eq!(about(panicked), expected);
    let undecodable = letters.iter().find(|letter| header(letter, "__headwater.errors.stage") == "decode").unwrap();
    assert!(header(undecodable, "__headwater.errors.message").contains("EOF"), "{undecodable:?}");
    assert_eq!(header(undecodable, "__headwater.errors.operator"), "events");
    // Nothing of what failed is left, and it counts for nothing.
    assert_eq!((world.values("totals"), world.values("groups")), (vec!["1".to_owned()], vec!["1".to_owned()]));
}

#[test]
fn a_record_behind_a_rekey_is_kept_as_it_was_rekeyed_and_goes_by_the_policy_of_its_input() {
    let world = World::new(1, topology(Policy::DeadLetter));
    world.send(1, &event(Kind::PanicBehind, 4));
    world.send(1, &event(Kind::Fine, 7));
    let mut process = world.process("a");
    process.settle().unwrap();
    let letters = world.letters();
    assert_eq!(world.faults(), ["app-by-group-repartition-0@0 process"]);
    assert_eq!(text(letters[0].key.as_deref()), "g1");
    let sent = serde_json::to_string(&event(Kind::PanicBehind, 4)).unwrap();
    assert_eq!(text(letters[0].value.as_deref()), sent, "without what the engine put behind it");
    assert_eq!(world.values("groups"), ["7"], "the sum of the failed one is undone");
    assert_eq!(world.values("totals"), ["4", "11"], "where it did not fail it counts");
    let report = process.workers_mut()[0].take_report();
    assert_eq!(report.dead_letters, [("app-by-group-repartition".to_owned(), headwater_core::Stage::Process, 1)]);
    let skipped = &report.skipped[0];
    assert_eq!((skipped.record.clone().unwrap().1, skipped.operator.as_deref(), skipped.dead_letter), (0, Some("groups"), true));
}

#[test]
fn each_policy_leaves_out_the_same_and_only_one_keeps_letters() {
    let kinds = [Kind::Fine, Kind::Undecodable, Kind::Panic, Kind::PanicBehind, Kind::Large, Kind::Grown, Kind::Fine];
    for (policy, letters) in [(Policy::Skip, 0), (Policy::DeadLetter, 5)] {
        let world = World::new(1, topology(policy));
        kinds.iter().enumerate().for_each(|(number, kind)| world.send(1, &event(*kind, number as i64 + 1)));
        let mut process = world.process("a");
        process.settle().unwrap();
        let dropped = process.workers_mut()[0].take_report().dropped;
        let dropped: BTreeMap<_, _> = dropped.into_iter().map(|(place, reason, count)| ((place, reason), count)).collect();
        let expected = [("events", "undecodable", 1), ("events", "failed", 1), ("app-by-group-repartition", "failed", 1)];
        let expected = expected.into_iter().chain([("events", "unwritable", 2)]);
        assert_eq!(dropped, expected.map(|(place, reason, count)| ((place.to_owned(), reason), count)).collect());
        assert_eq!(world.values("totals"), ["1", "5", "12"]);
        if policy == Policy::DeadLetter {
            assert_eq!(world.letters().len(), letters);
            let large = world.letters().into_iter().filter(|letter| header(letter, "__headwater.errors.stage") == "produce");
            let messages: Vec<String> = large.map(|letter| header(&letter, "__headwater.errors.message")).collect();
            assert!(messages[0].contains("\"texts\"") && messages[0].contains("max.message.bytes"), "{messages:?}");
            assert!(messages[1].contains("\"app-totals-changelog\""), "{messages:?}");
        }
    }
}

/// Remembers an amount and says it later; some it cannot say.
struct Later {
    amount: Value<i64>,
    timer: Timer,
    said: Output<i64>,
}

impl Transform for Later {
    type Key = String;
    fn setup(s: &mut Setup<Self>) -> Self {
        Later { amount: s.value("amount"), timer: s.timer("timer"), said: s.output("said") }
    }
}

impl On<i64> for Later {
    fn on(&mut self, amount: &i64, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        self.amount.put(cx, amount)?;
        self.timer.at(cx, cx.timestamp() + seconds(1))
    }
}

impl OnTimer for Later {
    fn on_timer(&mut self, _fired: Fired, cx: &mut Cx<'_, String>) -> Result<(), Failure> {
        let amount = self.amount.get(cx)?.unwrap_or_default();
        self.said.send(cx, &amount)?;
        self.amount.put(cx, &0)?;
        match amount {
            13 => Err(Failure::new("unlucky")),
            14 => panic!("worse"),
            _ => Ok(()),
        }
    }
}

fn later(policy: Option<Policy>) -> impl Fn(&mut Topology) {
    move |t| {
        let later = t.input::<String, i64>("amounts").transform::<Later>("later");
        let later = match policy {
            Some(policy) => later.on_timer_error(policy),
            None => later,
        };
        later.output(|later| &later.said).to("said");
    }
}

fn timers(driver: &mut TestDriver) {
    for (number, amount) in [1_i64, 13, 14, 2].iter().enumerate() {
        driver.send("amounts", &format!("k{number}"), amount, Timestamp::from_millis(number as i64));
    }
    driver.send("amounts", &"end".to_owned(), &0_i64, Timestamp::from_millis(5000));
}

#[test]
fn a_timer_that_fails_is_gone_and_its_effects_are_not_kept() {
    for policy in [Policy::Skip, Policy::DeadLetter] {
        let mut driver = TestDriver::new("app", later(Some(policy)));
        timers(&mut driver);
        let said: Vec<_> = driver.read::<String, i64>("said").into_iter().map(|out| out.value).collect();
        assert_eq!(said, [1, 2]);
        assert_eq!(driver.state::<String, i64>("later-amount", &"k1".to_owned()), Some(13), "what the handler set is undone");
        assert_eq!(driver.dropped(), [("later".to_owned(), "timer", 2)]);
        driver.restart_without_disk();
        driver.send("amounts", &"end".to_owned(), &0_i64, Timestamp::from_millis(9000));
        let letters = driver.dead_letters();
        if policy == Policy::Skip {
            assert!(letters.is_empty());
            continue;
        }
        assert_eq!(letters.len(), 2, "each once, also after a restart");
        let first = &letters[0];
        assert_eq!((text(first.key.as_deref()), first.value.clone()), ("k1".to_owned(), None));
        assert_eq!(first.timestamp, Timestamp::from_millis(1001));
        for (name, value) in
            [("stage", "timer"), ("operator", "later"), ("message", "unlucky"), ("offset", "-"), ("timestamp", "1001")]
        {
            assert_eq!(header(first, &format!("__headwater.errors.{name}")), value, "{name}");
        }
    }
}

#[test]
#[should_panic(expected = "timer of \"later\" for 1970-01-01T00:00:01.001Z could not be processed in task amounts-0: unlucky")]
fn a_timer_that_fails_stops_the_application_by_default() {
    timers(&mut TestDriver::new("app", later(None)));
}

#[test]
fn the_last_node_at_work_is_named_also_when_it_panics() {
    let mut driver = TestDriver::new("app", |t| {
        t.dead_letters("graveyard");
        let numbers = t.input::<String, i64>("numbers").on_error(Policy::DeadLetter);
        let mapped = numbers.map(|number| {
            assert!(*number != 1, "one");
            *number
        });
        mapped.fold("sums", |sum: &mut i64, number, _| {
            assert!(*number != 2, "two");
            *sum += number;
            Some(*sum)
        });
    });
    for number in 0..4_i64 {
        driver.send("numbers", &"k".to_owned(), &number, Timestamp::from_millis(number));
    }
    let operators: Vec<String> =
        driver.dead_letters().iter().map(|letter| header(letter, "__headwater.errors.operator")).collect();
    assert_eq!(operators, ["numbers.map", "sums"]);
    assert_eq!(driver.log().read_all("graveyard", 0, true).len(), 2);
}

#[test]
fn a_panic_in_a_codec_or_in_a_timestamp_is_a_failure_of_the_record() {
    let mut driver = TestDriver::new("app", |t| {
        let numbers = t.input::<String, i64>("numbers").on_error(Policy::DeadLetter);
        numbers.timestamp(|number, own| if *number == 1 { panic!("no date") } else { own }).to("copy");
    });
    for number in 0..3_i64 {
        driver.send("numbers", &"k".to_owned(), &number, Timestamp::from_millis(number));
    }
    assert_eq!(driver.read::<String, i64>("copy").len(), 2);
    let letters = driver.dead_letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(header(&letters[0], "__headwater.errors.message"), "panicked: no date");
}
