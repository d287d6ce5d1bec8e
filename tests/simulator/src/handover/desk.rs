//! Who attends to the hand-over for one process.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use headwater_core::engine::{Hold, Posture, View};
use headwater_core::handover::Side;
use headwater_core::port::Log;
use headwater_core::{Timestamp, TopicPartition};
use headwater_runtime::handover::{Desk, Moment, Pace, Stance};
use headwater_runtime::{RunError, Seat};
use headwater_testkit::{LocalProcess, Overseer};

use crate::cases::APP;
use crate::mark::Mark;
use crate::mutation::Mutation;
use crate::ports::{DeskLog, PortSite};
use crate::world::World;

/// More than any process has.
const WORKERS_MOST: usize = 4;

/// A process's desk, and what it goes by. Clones share them.
#[derive(Clone)]
pub struct Seated {
    desk: Rc<RefCell<Desk>>,
    stance: Arc<Stance>,
}

impl Seated {
    /// Has all that is owned stand under the present posture, whatever the workers say.
    fn settle_early(&self) {
        let Some(view) = self.stance.view() else { return };
        let (number, _) = self.stance.posture();
        (0..WORKERS_MOST).for_each(|worker| self.stance.settle(worker, number, (*view.owned).clone()));
    }
}

impl World {
    /// Gives a process that starts a desk, where the application is handed over. None if that failed.
    pub fn seat(&self, number: usize, mut process: LocalProcess) -> Option<LocalProcess> {
        let Some(terms) = self.setup.handover else { return Some(process) };
        self.mark_cut(Mark::HandoverStarted);
        let stance = Arc::new(Stance::new(process.workers().len()));
        let (site, generation) = (self.site(number), self.generation_of(number));
        let log: Arc<dyn Log> = Arc::new(DeskLog { site: site.clone(), faults: terms.faults });
        let pace = Pace { close: terms.close, patience: Duration::ZERO, ..Pace::default() };
        let desk = Desk::open(&self.seat_of(number), &generation.plan, &format!("p{number}"), &stance, &log, pace);
        let desk = match desk {
            Ok(desk) => Rc::new(RefCell::new(desk)),
            Err(error) => {
                self.line(Some(number), "ends", || error.to_string());
                self.refuse(number, &error);
                return None;
            }
        };
        process.oversee(Box::new(Watcher {
            desk: Rc::clone(&desk),
            stance: Arc::clone(&stance),
            site,
            heard: RefCell::default(),
        }));
        *self.desks[number].borrow_mut() = Some(Seated { desk, stance });
        Some(process)
    }

    pub(super) fn seat_of(&self, number: usize) -> Seat {
        let is_first = self.generation_of(number).facts.generation == 0;
        Seat { app: APP.into(), side: if is_first { Side::Old } else { Side::New { silent: true } } }
    }

    /// A process's desk has its turn, unless it is at work already or stands still.
    pub fn attend(&self, number: usize) {
        let seated = self.desks[number].borrow().clone();
        let stands = self.slots[number].try_borrow().is_ok_and(|slot| slot.paused);
        let Some(seated) = seated.filter(|_| !stands) else { return };
        let Ok(mut attended) = seated.desk.try_borrow_mut() else { return };
        let mut control = self.control.lock();
        if control.is(Mutation::SettledEarly) {
            seated.settle_early();
        }
        // No two attempts begin at the same time.
        control.now += Duration::from_millis(1);
        let (now, life) = (control.now, control.processes[number].life);
        drop(control);
        let wall = Timestamp::from_millis(now.as_millis() as i64);
        let result = attended.attend(Moment { elapsed: now, wall });
        drop(attended);
        self.note_steps();
        let mut control = self.control.lock();
        if control.processes[number].life != life {
            return;
        }
        if control.processes[number].dead.is_some() {
            drop(control);
            return self.kill(number);
        }
        match result {
            Ok(Some(ended)) if !control.is(Mutation::RetirementIgnored) => {
                control.line(|| (Some(number), None, "is over", String::new(), None, format!("{ended:?}")));
                control.processes[number].ended = true;
            }
            Ok(_) => {}
            Err(error) => {
                control.line(|| (Some(number), None, "cannot attend", String::new(), None, error.to_string()));
                drop(control);
                self.refuse(number, &error);
            }
        }
    }

    /// Every desk has its turn, in any order: what one writes and another answers at once may pass a third one unseen.
    pub fn attend_all(&self) {
        if self.setup.handover.is_some() {
            let (first, all) = (self.below(self.slots.len()), self.slots.len());
            (first..first + all).for_each(|process| self.attend(process % all));
        }
    }

    /// An error that does not pass ends a process; nothing that happens here is a reason for one.
    fn refuse(&self, number: usize, error: &RunError) {
        let mut control = self.control.lock();
        if control.processes[number].dead.is_none() && !error.is_passing() {
            control.violate("exit", format!("p{number} cannot attend to the hand-over: {error}"));
        }
    }
}

/// Stands between a process and its desk, as the runtime does.
struct Watcher {
    desk: Rc<RefCell<Desk>>,
    stance: Arc<Stance>,
    site: PortSite,
    /// With a mutation, what workers have heard of last.
    heard: RefCell<(u64, Posture)>,
}

impl Watcher {
    fn is(&self, mutation: Mutation) -> bool {
        self.site.control.lock().is(mutation)
    }
}

impl Overseer for Watcher {
    fn may_start(&mut self) -> bool {
        if self.is(Mutation::StartsUnseen) {
            return true;
        }
        // Busy with a cluster that does not answer: tasks wait.
        let Ok(mut desk) = self.desk.try_borrow_mut() else { return false };
        match desk.look() {
            Ok(_) => true,
            Err(error) => {
                let mut control = self.site.control.lock();
                let dead = control.processes[self.site.process].dead.is_some() || control.violation.is_some();
                if !dead && !error.is_passing() {
                    control.violate("exit", format!("p{} cannot look at the hand-over: {error}", self.site.process));
                }
                false
            }
        }
    }

    fn posture(&self) -> (u64, Posture) {
        let (number, mut posture) = self.stance.posture();
        if self.is(Mutation::SettledEarly) {
            let mut heard = self.heard.borrow_mut();
            if self.site.control.lock().dice.percent(25) {
                *heard = (number, posture);
            }
            return heard.clone();
        }
        if self.is(Mutation::FencesIgnored) {
            posture.fences = None;
        }
        let is_over = self.site.facts.generation == 0 && posture.hold == Hold::Everything && posture.silent;
        if is_over && self.is(Mutation::RetirementIgnored) {
            posture = Posture::default();
        }
        (number, posture)
    }

    fn settled(&self, worker: usize, number: u64, partitions: BTreeSet<TopicPartition>) {
        self.stance.settle(worker, number, partitions);
    }

    fn owns(&self, view: Option<View>) {
        self.stance.publish(view);
    }
}
