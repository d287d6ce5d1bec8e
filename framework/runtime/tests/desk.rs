//! The desk that attends to hand-overs, stepped by hand: no threads, and time is what the test says.

use std::sync::Arc;
use std::time::Duration;

use headwater_core::engine::Hold;
use headwater_core::handover::{Duty, Handover, Side, Step};
use headwater_core::port::Log;
use headwater_core::{Blueprint, Timestamp, Topology};
use headwater_runtime::Seat;
use headwater_runtime::handover::{Desk, Pace, Stance};
use headwater_testkit::{MemoryLog, prepare};

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

/// A desk of generation `name`, which waits for nothing.
fn desk(log: &MemoryLog, name: &str, side: Side, stance: &Arc<Stance>) -> Desk {
    let plan = prepare(&Blueprint::of(name, topology).unwrap(), log).unwrap();
    let port: Arc<dyn Log> = Arc::new(log.clone());
    let pace = Pace { patience: Duration::ZERO, ..Pace::default() };
    Desk::open(&Seat { app: APP.into(), side }, &plan, "a", stance, &port, pace).unwrap()
}

fn handed_over(log: &MemoryLog, step: Step) {
    let attempt = Timestamp::from_millis(1);
    let (key, value) = Handover { version: Handover::VERSION, attempt, from: APP.into(), to: NEXT.into(), step }.record();
    log.append("app-control", 0, Some(key.as_bytes()), Some(value.as_bytes()), attempt);
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
