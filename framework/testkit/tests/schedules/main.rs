//! Any schedule, same answer: whatever is restarted, crashed, expired or refused on the way, the outputs that a read-committed
//! reader sees are those of a plain fold over the input.
//!
//! `PROPTEST_CASES=10000 cargo test -p headwater-testkit --test schedules` looks further than the default run.

mod chaos;
mod checks;
mod disk;
mod oracle;
mod topology;
mod world;

use proptest::prelude::*;
use topology::Event;
use world::{Action, Failure, World};

fn events() -> impl Strategy<Value = Vec<Event>> {
    // Mostly within the out-of-orderness bound of 10 s; some are late on purpose.
    let event = (0..5_u8, 0..4_u8, -14_000_i64..3_000, 1..9_i64);
    prop::collection::vec(event, 1..60).prop_map(|drafts| {
        let mut newest = 20_000;
        let events = drafts.into_iter().map(|(key, group, step, amount)| {
            let time = (newest + step).max(0);
            newest = newest.max(time);
            Event { key: format!("k{key}"), group: format!("g{group}"), time, amount }
        });
        events.collect()
    })
}

fn action() -> impl Strategy<Value = Action> {
    let failure = prop_oneof![
        Just(Failure::Retriable),
        Just(Failure::Abort),
        Just(Failure::Fenced),
        Just(Failure::Crash),
        Just(Failure::CrashAfter)
    ];
    let process = 0..3_usize;
    prop_oneof![
        12 => (1..12_usize).prop_map(Action::Append),
        20 => (process.clone(), 1..5_usize).prop_map(|(process, turns)| Action::Work { process, turns }),
        8 => process.clone().prop_map(|process| Action::Turn { process }),
        4 => (process.clone(), 1..150_u64).prop_map(|(process, millis)| Action::Tick { process, millis }),
        6 => (process.clone(), 1..3_usize).prop_map(|(process, workers)| Action::Start { process, workers }),
        2 => (process.clone(), any::<bool>()).prop_map(|(process, lose_disk)| Action::Stop { process, lose_disk }),
        2 => (process.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(process, lose_disk, expire)| Action::Crash { process, lose_disk, expire }),
        2 => (0..3_usize).prop_map(|member| Action::Expire { member }),
        1 => (5..50_u64).prop_map(|seconds| Action::Advance { seconds }),
        8 => (0..20_usize, failure).prop_map(|(after, failure)| Action::Fault { after, failure }),
        2 => Just(Action::RetryReads),
        1 => Just(Action::Trim),
        1 => Just(Action::Compact),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 500, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn any_schedule_gives_the_answer_of_a_plain_fold(
        partitions in prop_oneof![Just(1), Just(3)],
        fetch in prop_oneof![Just(1_usize), Just(3), Just(4096)],
        events in events(),
        actions in prop::collection::vec(action(), 0..120),
    ) {
        let mut world = World::new(partitions, fetch, events.clone());
        for action in &actions {
            world.act(action);
        }
        world.settle();
        let seen = oracle::seen(&world);
        let expected = oracle::expected(partitions, &events);
        prop_assert_eq!(seen, expected);
        checks::stores_equal_their_changelogs(&world);
    }
}

#[test]
fn a_table_loses_nothing_of_a_poll_that_ends_its_restore() {
    let mut world = World::new(1, 4096, Vec::new());
    let start = Action::Start { process: 0, workers: 1 };
    let crash = |lose_disk| Action::Crash { process: 0, lose_disk, expire: true };
    world.act(&start);
    world.settle();
    world.act(&crash(true));
    // The restore ends in the middle of what the next poll brings; the rest of it must be read as input.
    for number in 0..40 {
        world.name(if number == 2 { "g1" } else { "g0" }, &format!("name {number}"));
    }
    world.act(&start);
    for _ in 0..6 {
        world.act(&Action::Work { process: 0, turns: 1 });
        world.act(&Action::Tick { process: 0, millis: 200 });
    }
    world.act(&crash(false));
    world.settle();
    world.send(&Event { key: "k0".into(), group: "g1".into(), time: 20_000_000, amount: 7 });
    world.settle();
    let joined = &oracle::seen(&world)["joined"];
    assert!(joined.contains(&"g1 [\"name 2\",7]".to_owned()), "{joined:?}");
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(150)
}
