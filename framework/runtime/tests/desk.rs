//! The desk that attends to hand-overs, stepped by hand: no threads, and time is what the test says.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use headwater_core::bounded::RunPhase;
use headwater_core::engine::Hold;
use headwater_core::handover::{Confirmation, Duty, Handover, Side, Step};
use headwater_core::port::{Log, LogError, MembershipConfig};
use headwater_core::{Blueprint, ControlState, StoredManifest, Timestamp, TopicPartition, Topology};
use headwater_runtime::Seat;
use headwater_runtime::backfill::{Ended, Registry, Request, plan};
use headwater_runtime::handover::{Desk, Moment, Pace, Stance};
use headwater_testkit::{Call, Fault, MemoryLog, prepare};

const APP: &str = "app";
const NEXT: &str = "app.v2";

fn topology(t: &mut Topology) {
    t.input::<String, i64>("events").count("sums").to("sums");
}

fn log() -> MemoryLog {
    let log = MemoryLog::new();
    log.create_topic("events", 1);
    log.create_topic("app-control", 1);
    log
}

/// With markers of event time on their way between two tasks.
fn with_a_repartition(t: &mut Topology) {
    t.input::<String, i64>("events").rekey("again", |number| *number).count("sums").to("sums");
}

/// A desk of generation `name`, which waits for nothing.
fn desk(log: &MemoryLog, name: &str, side: Side, stance: &Arc<Stance>) -> Desk {
    desk_of(topology, log, name, side, stance)
}

fn desk_of(topology: fn(&mut Topology), log: &MemoryLog, name: &str, side: Side, stance: &Arc<Stance>) -> Desk {
    let plan = prepare(&Blueprint::of(name, topology).unwrap(), log).unwrap();
    let port: Arc<dyn Log> = Arc::new(log.clone());
    let pace = Pace { patience: Duration::ZERO, ..Pace::default() };
    Desk::open(&Seat { app: APP.into(), side }, &plan, "a", stance, &port, pace).unwrap()
}

const ATTEMPT: Timestamp = Timestamp::from_millis(1);
const NOW: Moment = Moment { elapsed: Duration::ZERO, wall: ATTEMPT };

fn write(log: &MemoryLog, (key, value): (impl AsRef<str>, String)) {
    log.append("app-control", 0, Some(key.as_ref().as_bytes()), Some(value.as_bytes()), ATTEMPT);
}

fn handed_over(log: &MemoryLog, step: Step) {
    attempted(log, ATTEMPT, step);
}

fn attempted(log: &MemoryLog, attempt: Timestamp, step: Step) {
    let handover = Handover { version: Handover::VERSION, attempt, from: APP.into(), to: NEXT.into(), step, unattended: false };
    write(log, handover.record());
}

fn at(seconds: u64) -> Moment {
    Moment { elapsed: Duration::from_secs(seconds), wall: Timestamp::from_millis(1 + seconds as i64 * 1000) }
}

fn state(log: &MemoryLog) -> ControlState {
    let mut state = ControlState::default();
    for record in log.read_all("app-control", 0, true) {
        state.apply(&record.key.unwrap(), record.value.as_deref()).unwrap();
    }
    state
}

/// How far the hand-over has got.
fn step(log: &MemoryLog) -> Option<Step> {
    state(log).handover.map(|handover| handover.step)
}

/// The old generation's manifest and the new one's run, and a cut that everybody has confirmed: one step is left.
fn sealed(log: &MemoryLog) {
    planned(log, topology);
    handed_over(log, Step::Sealed);
    confirmed(log, Step::Sealed, "b", &["events"]);
}

fn confirmed(log: &MemoryLog, step: Step, who: &str, topics: &[&str]) {
    let partitions: BTreeSet<_> = topics.iter().map(|topic| ((*topic).to_owned(), 0)).collect();
    write(log, Confirmation { version: Handover::VERSION, attempt: ATTEMPT, step, partitions }.record(who));
}

/// The old generation's manifest and the new one's run.
fn planned(log: &MemoryLog, topology: fn(&mut Topology)) {
    let blueprint = Blueprint::of(APP, topology).unwrap();
    write(log, StoredManifest::new(1, prepare(&blueprint, log).unwrap().manifest()).record());
    write(log, plan(&blueprint, log, &Request::then_live("v2"), ATTEMPT).unwrap().record.record());
}

/// It may be given the partitions of others of its generation, which stopped before it, and looks before it starts the tasks.
#[test]
fn a_process_that_has_not_seen_the_cut_processes_nothing_after_it() {
    let (log, stance) = (log(), Arc::new(Stance::new(1)));
    let mut desk = desk(&log, APP, Side::Old, &stance);
    assert!(matches!(desk.look().unwrap(), Duty::Work { .. }));
    assert_eq!(stance.posture().1.hold, Hold::Nothing);
    handed_over(&log, Step::Promoted);
    assert!(matches!(desk.look().unwrap(), Duty::Retire { .. }));
    let (_, posture) = stance.posture();
    assert_eq!((posture.hold, posture.silent), (Hold::Everything, true));
}

#[test]
fn what_is_confirmed_is_taken_over_unless_it_was_given_up() {
    for (given_up, expected) in [(false, (None, Step::Promoted)), (true, (Some(Ended::Cancelled), Step::Sealed))] {
        let (log, stance) = (log(), Arc::new(Stance::new(1)));
        sealed(&log);
        let mut desk = desk(&log, NEXT, Side::New { silent: true }, &stance);
        if given_up {
            let blueprint = Blueprint::of(APP, topology).unwrap();
            Registry::of(&blueprint, &log).end("v2", RunPhase::Cancelled).unwrap();
        }
        let ended = desk.attend(NOW).unwrap();
        assert_eq!((ended, step(&log)), (expected.0, Some(expected.1)), "given up: {given_up}");
    }
}

/// What a step that failed has left open would hide everything behind it, and a round begins with a look.
#[test]
fn a_step_that_could_not_be_committed_is_taken_at_the_next_round() {
    let (log, stance) = (log(), Arc::new(Stance::new(1)));
    sealed(&log);
    let mut desk = desk(&log, NEXT, Side::New { silent: true }, &stance);
    let error = LogError::Retriable("no broker".into());
    log.inject(Fault { transactional_id: Some("app-control".into()), call: Call::Commit, error });
    assert!(desk.attend(NOW).unwrap_err().is_passing());
    assert_eq!(step(&log), Some(Step::Sealed));
    desk.attend(NOW).unwrap();
    assert_eq!(step(&log), Some(Step::Promoted));
}

/// Of the second attempt it has seen nothing but that it began: not that the first one was given up.
#[test]
fn each_attempt_at_a_cut_has_the_whole_lease() {
    let (log, stance) = (log(), Arc::new(Stance::new(1)));
    let mut desk = desk(&log, APP, Side::Old, &stance);
    handed_over(&log, Step::Requested);
    desk.attend(at(0)).unwrap();
    handed_over(&log, Step::Aborted);
    attempted(&log, Timestamp::from_millis(2), Step::Requested);
    for (seconds, expected) in [(31, Step::Requested), (60, Step::Requested), (62, Step::Aborted)] {
        desk.attend(at(seconds)).unwrap();
        assert_eq!(step(&log), Some(expected), "after {seconds} s");
    }
}

#[test]
fn a_cut_that_somebody_gave_up_is_not_asked_for_again_at_once() {
    let (log, stance) = (log(), Arc::new(Stance::new(1)));
    sealed(&log);
    handed_over(&log, Step::Aborted);
    let mut desk = desk(&log, NEXT, Side::New { silent: true }, &stance);
    for (seconds, expected) in [(0, Step::Aborted), (9, Step::Aborted), (10, Step::Requested)] {
        desk.attend(at(seconds)).unwrap();
        assert_eq!(step(&log), Some(expected), "after {seconds} s");
    }
}

/// A task that reads nothing from outside may still have something to say, until it has confirmed that it has not.
#[test]
fn a_cut_waits_for_every_task_of_the_old_generation() {
    let (log, stance) = (log(), Arc::new(Stance::new(1)));
    planned(&log, with_a_repartition);
    let config = MembershipConfig { group: APP.into(), instance: None, topics: vec!["events".into()] };
    let mut member = log.membership(&config).unwrap();
    member.poll(Duration::ZERO).unwrap();
    let mut desk = desk_of(with_a_repartition, &log, NEXT, Side::New { silent: true }, &stance);
    handed_over(&log, Step::Requested);
    for (topics, expected) in [(&["events"][..], Step::Requested), (&["events", "app-again-repartition"], Step::Sealed)] {
        confirmed(&log, Step::Requested, "b", topics);
        desk.attend(NOW).unwrap();
        assert_eq!(step(&log), Some(expected), "confirmed: {topics:?}");
    }
}

/// Nobody had confirmed that the old generation stands, so it need not.
#[test]
fn a_cut_that_nobody_attended_is_given_up_where_somebody_has_come_since() {
    for (comes, expected) in [(false, Step::Promoted), (true, Step::Aborted)] {
        let (log, stance) = (log(), Arc::new(Stance::new(1)));
        planned(&log, topology);
        handed_over(&log, Step::Requested);
        let mut desk = desk(&log, NEXT, Side::New { silent: true }, &stance);
        desk.attend(NOW).unwrap();
        assert_eq!(step(&log), Some(Step::Sealed), "nobody runs the old generation");
        let config = MembershipConfig { group: APP.into(), instance: None, topics: vec!["events".into()] };
        let mut member = comes.then(|| log.membership(&config).unwrap());
        member.iter_mut().for_each(|member| drop(member.poll(Duration::ZERO).unwrap()));
        confirmed(&log, Step::Sealed, "b", &["events"]);
        desk.attend(NOW).unwrap();
        assert_eq!(step(&log), Some(expected), "somebody comes: {comes}");
    }
}

/// Not what the group says the process owns: it may have been put out, or not have begun.
#[test]
fn what_is_confirmed_is_what_the_workers_say_stands() {
    let (log, stance) = (log(), Arc::new(Stance::new(2)));
    let mut desk = desk(&log, APP, Side::Old, &stance);
    handed_over(&log, Step::Requested);
    let mut check = |settled: &[(usize, &[&str])], expected: &[&str]| {
        desk.attend(NOW).unwrap();
        let (number, _) = stance.posture();
        for (worker, topics) in settled {
            stance.settle(*worker, number, topics.iter().map(|topic| TopicPartition::new(*topic, 0)).collect());
        }
        desk.attend(NOW).unwrap();
        let expected: BTreeSet<_> = expected.iter().map(|topic| ((*topic).to_owned(), 0)).collect();
        assert_eq!(state(&log).confirmed_in(Step::Requested), expected, "{settled:?}");
    };
    check(&[], &[]);
    check(&[(0, &["events"])], &[]);
    check(&[(1, &[])], &["events"]);
    check(&[(1, &["others"])], &["events", "others"]);
}
