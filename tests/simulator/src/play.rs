//! The order of a run: trouble, calm, verdict.

use std::ops::Range;
use std::time::Duration;

use headwater_core::TopicPartition;
use headwater_testkit::LocalProcess;

use crate::cases::{self, BOUND, End, FLUSH_TIME};
use crate::checks::{difference, leftovers};
use crate::world::World;

/// Rounds without progress, while there is something to do, after which nothing more is to be expected.
pub const STALLED: usize = 150;
/// Rounds of nothing but waiting after which no hand-over comes to an end: longer than all that it may wait for.
const TOO_QUIET: usize = 1_000;
/// Longer than any session and any transaction.
pub const CALM: Duration = Duration::from_secs(120);
/// Rounds after which even progress leads nowhere.
pub const MANY: usize = 20_000;

impl World {
    /// The whole run: trouble, calm, verdict.
    pub fn play(&self) {
        let acts = self.setup.acts.min(self.control.lock().limits.acts);
        self.start(0);
        for _ in 0..acts {
            self.act();
            if self.is_over() {
                return;
            }
        }
        self.calm();
        if let Some(past) = &self.past {
            self.come_to_the_end();
            if !self.is_over() {
                self.judge_run(past);
            }
            return;
        }
        self.come_to_rest();
        let ends = cases::flush(self.setup.case.streams(), self.setup.partitions);
        for item in &ends {
            item.append(&self.log);
        }
        self.come_to_rest();
        let items = self.items.iter().chain(&ends).cloned().collect::<Vec<_>>();
        if !self.is_over() {
            self.verdict(&items);
        }
    }

    /// Trouble ends: time passes, so that what is dead is known to be, and everybody who is left goes on.
    fn calm(&self) {
        self.line(None, "calm", String::new);
        let mut control = self.control.lock();
        control.calm = true;
        control.outage = Duration::ZERO;
        control.unavailable.clear();
        drop(control);
        self.log.advance(CALM);
        (0..self.slots.len()).for_each(|process| self.resume(process));
        while self.fed.get() < self.items.len() {
            self.append_next();
        }
    }

    fn come_to_rest(&self) {
        let (mut quiet, mut stalled, mut progress) = (0, 0, 0);
        for _ in 0..MANY {
            self.control.lock().now += Duration::from_millis(300);
            self.start_what_is_missing();
            let running = self.running();
            (0..self.slots.len()).for_each(|process| self.attend(process));
            let active = (0..self.slots.len()).fold(false, |active, process| self.drive(process, LocalProcess::turn) | active);
            if self.is_over() {
                return;
            }
            if self.running() < running {
                // The members of those that ended stay in the group for the length of a session.
                self.log.advance(CALM);
                continue;
            }
            let got_to = self.control.lock().progress;
            (quiet, stalled) = (if active { 0 } else { quiet + 1 }, if got_to == progress { stalled + 1 } else { 0 });
            progress = got_to;
            // Longer than the longest time between markers.
            if quiet >= 6 && self.is_settled() {
                return;
            }
            if quiet == TOO_QUIET {
                self.control.lock().violate("stall", String::from("the hand-over does not come to an end"));
                return;
            }
            if active && stalled > STALLED {
                let all = self.where_all_stand();
                self.control.lock().violate("stall", all);
                return;
            }
        }
        let all = self.where_all_stand();
        self.control.lock().violate("restless", all);
    }

    pub fn running(&self) -> usize {
        self.running_among(0..self.slots.len())
    }

    pub fn running_among(&self, slots: Range<usize>) -> usize {
        self.slots[slots].iter().filter(|slot| slot.borrow().process.is_some()).count()
    }

    pub fn where_all_stand(&self) -> String {
        let processes = self.slots.iter().enumerate().flat_map(|(number, slot)| {
            let slot = slot.borrow();
            let counts = slot.process.iter().flat_map(|process| process.workers().iter().map(|worker| worker.task_counts()));
            counts.map(|(restoring, running)| format!("p{number}: {restoring} not ready, {running} running")).collect::<Vec<_>>()
        });
        processes.chain(self.lags()).collect::<Vec<_>>().join("; ")
    }

    /// Input that is not consumed to its end.
    fn lags(&self) -> Vec<String> {
        let facts = self.facts_in_force();
        let inputs = facts.inputs.values().flatten();
        let lag = |partition: &TopicPartition| {
            let end = self.log.high_watermark(&partition.topic, partition.partition);
            let committed = self.log.committed(&facts.app, partition).map_or(0, |committed| committed.offset);
            (committed != end).then(|| format!("{partition} is consumed to {committed} of {end}"))
        };
        inputs.filter_map(lag).collect()
    }

    fn verdict(&self, items: &[cases::Item]) {
        let (in_force, lags) = (self.facts_in_force(), self.lags());
        let mut control = self.control.lock();
        for expected in self.setup.case.expected(self.setup.partitions, items, &End::Passed) {
            if expected.timed && self.setup.idles {
                continue;
            }
            if let Some(difference) = self.compare(&expected) {
                control.violate("output", difference);
            }
        }
        let disks = self.disks.iter().enumerate();
        let contents = disks.flat_map(|(number, disk)| disk.contents().into_iter().map(move |contents| (number, contents)));
        for (number, (task, contents, _)) in contents {
            if let Some(difference) = difference(&control.history, &self.generation_of(number).facts, &self.log, &task, &contents)
            {
                control.violate("store", difference);
            }
        }
        let left = leftovers(in_force, &self.log, self.setup.case.timed(), self.setup.partitions, FLUSH_TIME - BOUND);
        for (kind, texts) in [("leftovers", left.into_iter().collect()), ("lag", lags)] {
            texts.into_iter().for_each(|text: String| control.violate(kind, text));
        }
    }
}
