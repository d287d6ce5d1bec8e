//! Whatever crashes meanwhile: dead letters are what failed, each once, and the rest is right.

use std::collections::BTreeMap;

use headwater_core::port::LogError;
use headwater_core::{Policy, TopicPartition};
use headwater_testkit::{Call, Fault, LocalProcess, MemoryStores};
use proptest::prelude::*;

use crate::world::{Event, Kind, World, event, text, topology};

#[derive(Clone, Debug)]
enum Action {
    /// These many more events arrive.
    Send(usize),
    /// Turns that commit only when it is time to.
    Work(usize),
    /// Milliseconds pass.
    Tick(u64),
    /// A producer's call fails.
    Fault(Call, LogError),
    /// The process dies; with its disk or without.
    Crash(bool),
}

fn action() -> impl Strategy<Value = Action> {
    let call = prop_oneof![Just(Call::Send), Just(Call::Flush), Just(Call::Commit), Just(Call::Abort), Just(Call::Begin)];
    let error = prop_oneof![
        Just(LogError::Retriable("again".into())),
        Just(LogError::AbortTransaction("aborted".into())),
        Just(LogError::Fenced("fenced".into())),
        Just(LogError::Unusable("lost".into())),
    ];
    prop_oneof![
        5 => (1..20_usize).prop_map(Action::Send),
        6 => (1..6_usize).prop_map(Action::Work),
        3 => (1..150_u64).prop_map(Action::Tick),
        2 => (call, error).prop_map(|(call, error)| Action::Fault(call, error)),
        2 => any::<bool>().prop_map(Action::Crash),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        20 => Just(Kind::Fine),
        1 => Just(Kind::Undecodable),
        1 => Just(Kind::Panic),
        1 => Just(Kind::PanicBehind),
        1 => Just(Kind::Large),
        1 => Just(Kind::Grown),
        1 => Just(Kind::Refused),
        1 => Just(Kind::RefusedBehind),
        1 => Just(Kind::RefusedState),
    ]
}

/// Last total per key, last sum per group, and how many failed in front of the rekey and behind it.
#[derive(Debug, Default, PartialEq)]
struct Result {
    totals: BTreeMap<String, String>,
    groups: BTreeMap<String, String>,
    failed: usize,
    failed_behind: usize,
}

fn expected(events: &[Event]) -> Result {
    let (mut totals, mut groups): (BTreeMap<_, i64>, BTreeMap<_, i64>) = Default::default();
    let mut result = Result::default();
    for (number, event) in events.iter().enumerate() {
        let behind = matches!(event.kind, Kind::PanicBehind | Kind::RefusedBehind);
        if event.kind != Kind::Fine && !behind {
            result.failed += 1;
            continue;
        }
        *totals.entry(format!("k{}", number % 4)).or_default() += event.amount;
        if behind {
            result.failed_behind += 1;
        } else {
            *groups.entry(event.group.clone()).or_default() += event.amount;
        }
    }
    let shown = |sums: BTreeMap<String, i64>| sums.into_iter().map(|(key, sum)| (key, sum.to_string())).collect();
    Result { totals: shown(totals), groups: shown(groups), ..result }
}

fn seen(world: &World) -> Result {
    let last = |topic: &str| {
        let records = (0..world.partitions).flat_map(|partition| world.log.read_all(topic, partition, true));
        records.map(|record| (text(record.key.as_deref()), text(record.value.as_deref()))).collect()
    };
    let faults = world.faults();
    let mut distinct = faults.clone();
    distinct.dedup();
    assert_eq!(distinct, faults, "no letter twice");
    let in_front = faults.iter().filter(|fault| fault.starts_with("events-")).count();
    Result { totals: last("totals"), groups: last("groups"), failed: in_front, failed_behind: faults.len() - in_front }
}

/// A process with its disk.
struct Life {
    world: World,
    process: Option<LocalProcess>,
}

impl Life {
    fn process(&mut self) -> &mut LocalProcess {
        let world = &self.world;
        self.process.get_or_insert_with(|| world.process("a"))
    }

    fn crash(&mut self, lose_disk: bool) {
        self.process = None;
        if lose_disk {
            self.world.stores = MemoryStores::new();
        }
        for member in self.world.log.members("app") {
            self.world.log.expire_member("app", &member.id);
        }
    }
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 300, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn letters_are_what_failed_each_once(
        partitions in prop_oneof![Just(1), Just(3)],
        events in prop::collection::vec((kind(), 0..30_i64), 1..120),
        actions in prop::collection::vec(action(), 0..40),
    ) {
        let events: Vec<Event> = events.into_iter().map(|(kind, amount)| event(kind, amount)).collect();
        let mut life = Life { world: World::new(partitions, topology(Policy::DeadLetter)), process: None };
        let mut sent = 0;
        for action in actions {
            match action {
                Action::Send(count) => {
                    for (number, event) in events.iter().enumerate().skip(sent).take(count) {
                        life.world.send(number, event);
                        sent += 1;
                    }
                }
                Action::Work(turns) => {
                    for _ in 0..turns {
                        life.process().work().unwrap();
                    }
                }
                Action::Tick(millis) => life.process().advance(std::time::Duration::from_millis(millis)),
                Action::Fault(call, error) => {
                    life.world.log.inject(Fault { transactional_id: Some("app-a-0".into()), call, error });
                }
                Action::Crash(lose_disk) => life.crash(lose_disk),
            }
        }
        events.iter().enumerate().skip(sent).for_each(|(number, event)| life.world.send(number, event));
        life.process().settle().unwrap();
        prop_assert_eq!(seen(&life.world), expected(&events));
        let passed = life.world.log.committed("app", &TopicPartition::new("events", 0)).map_or(0, |committed| committed.offset);
        prop_assert_eq!(passed, life.world.log.high_watermark("events", 0), "positions pass what failed");
    }
}
