//! How a bounded run gets to its end: its processes look at what is committed, as `runtime::backfill` has them do, and stop when all is done.

use headwater_core::bounded::{Completion, Progress};
use headwater_core::port::{Log, ReaderConfig};
use headwater_testkit::LocalProcess;

use crate::cases::APP;
use crate::mark::Mark;
use crate::mutation::Mutation;
use crate::play::{CALM, MANY, STALLED};
use crate::world::{Slot, World};

/// Starts after the trouble, when nothing but the error of an overtaken run ends a process, after which nothing else is to be expected.
const ENOUGH: usize = 3;

impl World {
    /// How far the run is; none if this is a live run.
    pub fn run_progress(&self) -> Option<Progress> {
        let completion = Completion::of(&self.plan)?;
        let config = ReaderConfig { group: APP.to_owned(), read_uncommitted: false };
        let mut reader = self.log.reader(&config).expect("the log in memory always has a reader");
        Some(completion.look(reader.as_mut()).expect("the log in memory always answers"))
    }

    /// Whether everything is done. What has been once stays so.
    pub fn is_complete(&self) -> bool {
        let Some(progress) = self.run_progress() else { return false };
        let mut control = self.control.lock();
        if control.complete && !progress.is_complete() {
            control.violate("end", format!("the run was complete, and now {} partitions are open again", progress.open));
        }
        control.complete |= progress.is_complete();
        let assumed = control.is(Mutation::EndAssumed) && progress.done == progress.total;
        progress.is_complete() || assumed
    }

    /// A process looks whether there is anything left to do, and stops if not.
    pub fn look_for_the_end(&self, process: usize) {
        if self.is_complete() {
            self.stop(process);
        }
    }

    /// Marks what a process comes into that is about to start, or leaves behind that is about to stop, while a bounded run is under way.
    pub fn mark_under_way(&self, number: usize, stops: bool) {
        // In the middle of a call it is not touched.
        let is_running = |slot: &std::cell::RefCell<Slot>| slot.try_borrow().ok().map(|slot| slot.process.is_some());
        if self.past.is_none() || is_running(&self.slots[number]) != Some(stops) {
            return;
        }
        if self.run_progress().is_none_or(|progress| progress.done == 0 || progress.is_complete()) {
            return;
        }
        let others = self.slots.iter().enumerate().filter(|(other, _)| *other != number);
        let running = others.filter(|(_, slot)| is_running(slot) != Some(false)).count();
        let mut control = self.control.lock();
        let resumed = !stops && running == 0 && control.killed;
        control.mark_if(stops && running > 0, Mark::BoundedLeft);
        control.mark_if(!stops && running > 0, Mark::BoundedJoined);
        control.mark_if(resumed, Mark::BoundedResumed);
    }

    /// After the trouble: the run goes on until it is complete, or cannot be completed.
    pub fn come_to_the_end(&self) {
        let (mut quiet, mut stalled, mut progress, mut starts) = (0, 0, 0, 0);
        for _ in 0..MANY {
            self.control.lock().now += std::time::Duration::from_millis(300);
            if self.is_complete() {
                return (0..self.slots.len()).for_each(|process| self.stop(process));
            }
            if self.running() == 0 {
                if starts == ENOUGH {
                    return;
                }
                starts += 1;
                self.start(0);
            }
            let running = self.running();
            let active = (0..self.slots.len()).fold(false, |active, process| self.drive(process, LocalProcess::turn) | active);
            if self.is_over() {
                return;
            }
            if self.running() < running {
                self.log.advance(CALM);
                continue;
            }
            let got_to = self.control.lock().progress;
            (quiet, stalled) = (if active { 0 } else { quiet + 1 }, if got_to == progress { stalled + 1 } else { 0 });
            progress = got_to;
            if quiet == 6 || stalled > STALLED {
                return self.control.lock().violate("stall", format!("the run does not end; {}", self.where_all_stand()));
            }
        }
        self.control.lock().violate("restless", self.where_all_stand());
    }
}
