//! A log, some processes with a disk each, and the input: what there is in a run, and how a process comes, goes and works.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use headwater_core::engine::{EngineError, EngineOptions, Report};
use headwater_core::port::{Log, Stores};
use headwater_core::{Blueprint, Plan};
use headwater_testkit::{LocalProcess, MemoryLog, prepare};

use crate::bounded::{self, Past};
use crate::cases::{APP, Item};
use crate::checks::Turns;
use crate::control::{Control, Death, ProcessState, Shared};
use crate::dice::Dice;
use crate::disk::Disk;
use crate::fault::Fault;
use crate::handover::{self, Generation, Seated};
use crate::mark::Mark;
use crate::mutation::Mutation;
use crate::ports::{Facts, PortSite, SimLog, SimStores};
use crate::seed::Limits;
use crate::setup::Setup;

#[derive(Default)]
pub struct Slot {
    pub process: Option<LocalProcess>,
    pub paused: bool,
    /// The time up to which the process's clock has been moved.
    clock: Duration,
}

pub struct World {
    pub control: Shared,
    pub setup: Setup,
    pub log: MemoryLog,
    pub plan: Arc<Plan>,
    pub facts: Arc<Facts>,
    /// The first is this application, a second one takes over from it.
    pub generations: Vec<Generation>,
    pub items: Vec<Item>,
    /// What a bounded run reads; none in a live one.
    pub past: Option<Past>,
    pub fed: Cell<usize>,
    pub slots: Vec<RefCell<Slot>>,
    pub disks: Vec<Disk>,
    /// Who attends to hand-overs, by process. Apart from the slots: it may act while a worker is in the middle of a call.
    pub desks: Vec<RefCell<Option<Seated>>>,
    /// How deep in calls that let others act.
    pub depth: Cell<usize>,
}

impl World {
    pub fn new(seed: u64, limits: &Limits, mutation: Option<Mutation>, with_trace: bool) -> World {
        let mut dice = Dice::new(seed);
        let setup = Setup::of_seed(seed, &mut dice);
        let log = MemoryLog::with_timeouts(setup.timeouts);
        setup.case.inputs().iter().for_each(|topic| log.create_topic(topic, setup.partitions));
        let blueprint = Blueprint::of(APP, |t| setup.case.topology(t)).expect("the cases are valid");
        let plan = prepare(&blueprint, &log).expect("the inputs exist");
        setup.case.fill(&log, setup.partitions);
        let items = setup.case.feed(&mut dice, setup.partitions);
        let (past, items, plan) = bounded::begin(&setup, &mut dice, &log, items, plan, mutation);
        let timed: Vec<&str> = setup.case.timed().iter().map(|(store, _)| *store).collect();
        let facts = Arc::new(Facts::of(&plan, 0, &timed));
        let mut control = Control::new(dice, limits.clone(), mutation, with_trace);
        let mut generations = vec![Generation { plan: Arc::clone(&plan), facts: Arc::clone(&facts) }];
        if let Some(next) = setup.handover.map(|_| handover::follow(setup.case, &log, &plan)) {
            let facts = Arc::new(Facts::of(&next, 1, &timed));
            generations.push(Generation { plan: next, facts });
            control.turns = Some(Turns::default());
        }
        let processes = setup.processes + setup.handover.map_or(0, |terms| terms.followers);
        control.processes.resize_with(processes, ProcessState::default);
        control.rate = setup.rate;
        World {
            control: Shared::new(control),
            log,
            plan,
            facts,
            items,
            past,
            fed: Cell::new(0),
            generations,
            slots: (0..processes).map(|_| RefCell::default()).collect(),
            desks: (0..processes).map(|_| RefCell::default()).collect(),
            disks: (0..processes).map(|_| Disk::new(setup.flush_every)).collect(),
            depth: Cell::new(0),
            setup,
        }
    }

    pub fn is_over(&self) -> bool {
        self.control.lock().violation.is_some()
    }

    pub fn line(&self, process: Option<usize>, event: &'static str, detail: impl FnOnce() -> String) {
        self.control.lock().line(|| (process, None, event, String::new(), None, detail()));
    }

    pub fn site(&self, process: usize) -> PortSite {
        let (control, log, facts) = (self.control.clone(), self.log.clone(), Arc::clone(&self.generation_of(process).facts));
        let life = control.lock().processes[process].life;
        PortSite { control, log, facts, process, life, worker: None }
    }

    pub fn sim_log(&self, process: usize) -> SimLog {
        SimLog {
            site: self.site(process),
            disk: self.disks[process].clone(),
            fetch: self.setup.fetch,
            instance: self.setup.statics.then(|| format!("p{process}")),
            readers: AtomicUsize::new(0),
        }
    }

    /// Starts a process unless it runs.
    pub fn start(&self, number: usize) {
        self.mark_under_way(number, false);
        let Ok(mut slot) = self.slots[number].try_borrow_mut() else { return };
        if slot.process.is_some() || !self.may_run(number) {
            return;
        }
        let mut control = self.control.lock();
        let workers = control.dice.between(1, 3) as usize;
        let life = control.processes[number].life + 1;
        control.processes[number] = ProcessState { life, ..ProcessState::default() };
        let now = control.now;
        drop(control);
        self.line(Some(number), "starts", || format!("{workers} workers"));
        let log: Arc<dyn Log> = Arc::new(self.sim_log(number));
        let stores: Arc<dyn Stores> = Arc::new(SimStores { site: self.site(number), disk: self.disks[number].clone() });
        let setup = self.setup;
        let options = EngineOptions {
            transactional_id: None,
            commit_interval: Duration::from_millis(100),
            marker_interval: setup.marker_interval,
            idle_timeout: setup.idle_timeout(),
            buffer_bytes: setup.buffer_bytes,
            dirty_bytes: setup.dirty_bytes,
            ..EngineOptions::default()
        };
        let process =
            LocalProcess::start_with(&self.generation_of(number).plan, &log, &stores, &number.to_string(), workers, &options);
        let process = process.ok().and_then(|process| self.seat(number, process));
        *slot = Slot { process, paused: false, clock: now };
    }

    /// Lets a process do something, unless it is in the middle of a call. Answers whether it did.
    pub fn drive(&self, number: usize, how: impl FnOnce(&mut LocalProcess) -> Result<bool, EngineError>) -> bool {
        let Ok(mut slot) = self.slots[number].try_borrow_mut() else { return false };
        if slot.paused {
            return false;
        }
        if slot.process.is_some() && self.control.lock().processes[number].ended {
            drop(slot);
            self.stop(number);
            return true;
        }
        let now = self.control.lock().now;
        let passed = now.saturating_sub(std::mem::replace(&mut slot.clock, now));
        let Some(process) = &mut slot.process else { return false };
        process.advance(passed);
        let result = how(process);
        for worker in process.workers_mut() {
            self.look_at(&worker.take_report());
        }
        let active = matches!(result, Ok(true) | Err(_));
        self.conclude(number, &mut slot, result.map(|_| ()));
        active
    }

    /// Stops a process cleanly.
    pub fn stop(&self, number: usize) {
        self.mark_under_way(number, true);
        let Ok(mut slot) = self.slots[number].try_borrow_mut() else { return };
        if slot.paused {
            return;
        }
        let Some(process) = slot.process.take() else { return };
        self.desks[number].take();
        self.line(Some(number), "stops", String::new);
        let result = process.stop();
        self.conclude(number, &mut slot, result);
    }

    /// A process ends at once.
    pub fn kill(&self, number: usize) {
        let Ok(mut slot) = self.slots[number].try_borrow_mut() else { return };
        if slot.process.is_some() {
            self.line(Some(number), "killed", String::new);
            self.bury(number, &mut slot);
        }
    }

    /// What the end of a turn means for the process.
    fn conclude(&self, number: usize, slot: &mut Slot, result: Result<(), EngineError>) {
        let mut control = self.control.lock();
        let (dead, over) = (control.processes[number].dead, control.violation.is_some());
        match (dead, result) {
            _ if over => {}
            (None, Ok(())) => return,
            (Some(Death::Disk), Ok(())) => {
                control.violate("limping", format!("p{number} went on after its disk gave an error"));
            }
            (Some(_), _) => {}
            (None, Err(error)) if bounded::is_overtaken(&mut control, &error) => {
                control.line(|| (Some(number), None, "ends", String::new(), None, error.to_string()));
            }
            (None, Err(error)) => {
                let text = error.to_string();
                control.line(|| (Some(number), None, "ends", String::new(), None, text.clone()));
                control.violate("exit", format!("p{number} ended: {text}"));
            }
        }
        drop(control);
        self.bury(number, slot);
    }

    /// A dead process leaves its disk as it was flushed last, or none.
    fn bury(&self, number: usize, slot: &mut Slot) {
        slot.process = None;
        self.desks[number].take();
        self.mark_cut(Mark::HandoverKilled);
        slot.paused = false;
        let older = self.disks[number].crash();
        let mut control = self.control.lock();
        control.mark_if(older, Mark::StoreDiskOld);
        control.processes[number].dead = None;
        // What its desk is in the middle of has no effect any more.
        control.processes[number].life += 1;
        control.killed = true;
        let lost = control.dice.percent(25) && control.allows(Fault::DiskLost);
        drop(control);
        if lost {
            self.lose_disk(number);
        }
    }

    pub fn lose_disk(&self, number: usize) {
        self.disks[number].lose();
        self.line(Some(number), "disk lost", String::new);
    }

    fn look_at(&self, report: &Report) {
        let mut control = self.control.lock();
        control.mark_if(report.dropped.iter().any(|(_, reason, _)| *reason == "late"), Mark::Late);
        for skipped in &report.skipped {
            let message = &skipped.message;
            control.mark_if(message.starts_with("panicked"), Mark::Panicked);
            control.mark_if(message.starts_with("not the expected") || message.contains("UTF-8"), Mark::Undecodable);
            control.mark_if(message == crate::cases::FAILURE, Mark::Failed);
        }
        for why in &report.aborted {
            control.mark(Mark::AbortReplay);
            control.mark_if(why.starts_with("the group moved on"), Mark::CommitHeldBack);
        }
    }
}
