//! What happens in a run besides the calls of processes.

use std::time::Duration;

use headwater_core::TopicPartition;
use headwater_core::port::{Log, ProducerConfig};
use headwater_testkit::{LocalProcess, Tombstones};

use crate::cases::APP;
use crate::fault::Fault;
use crate::mark::Mark;
use crate::world::World;

/// Deepest calls that let others act.
const DEEPEST: usize = 2;
#[derive(Clone, Copy, Debug)]
enum Act {
    Append,
    /// Turns that commit only when it is time to.
    Work,
    /// A turn that commits when nothing is left to do.
    Turn,
    /// The threads of a process go at their own pace.
    Threads,
    Pass,
    Start,
    Resume,
    Fault(Fault),
}

const ACTS: &[(u64, Act)] = &[
    (14, Act::Append),
    (20, Act::Work),
    (12, Act::Turn),
    (16, Act::Threads),
    (5, Act::Pass),
    (8, Act::Start),
    (3, Act::Resume),
    (2, Act::Fault(Fault::Stop)),
    (3, Act::Fault(Fault::Kill)),
    (2, Act::Fault(Fault::Pause)),
    (2, Act::Fault(Fault::Expire)),
    (2, Act::Fault(Fault::Storm)),
    (2, Act::Fault(Fault::BrokerTime)),
    (1, Act::Fault(Fault::Stolen)),
    (2, Act::Fault(Fault::Unavailable)),
    (1, Act::Fault(Fault::Outage)),
    (2, Act::Fault(Fault::Trim)),
    (1, Act::Fault(Fault::Compact)),
    (1, Act::Fault(Fault::Tombstones)),
    (1, Act::Fault(Fault::StartMoved)),
    (2, Act::Fault(Fault::TailCut)),
];

impl World {
    /// Others act in the middle of a call.
    pub fn interlude(&self, put_out: Option<usize>) {
        if self.depth.get() >= DEEPEST || self.control.lock().calm || self.is_over() {
            return;
        }
        self.depth.set(self.depth.get() + 1);
        let acts = self.below(8) + if put_out.is_some() { 8 } else { 1 };
        let member = put_out.and_then(|process| self.control.lock().processes[process].member.clone());
        let app = put_out.map_or(APP, |process| self.app_of(process));
        if let Some(id) = member.filter(|id| self.log.expire_member(app, id)) {
            self.line(put_out, "put out", || id);
        }
        for _ in 0..acts {
            self.act();
        }
        self.depth.set(self.depth.get() - 1);
    }

    pub fn below(&self, n: usize) -> usize {
        self.control.lock().dice.below(n as u64) as usize
    }

    pub fn act(&self) {
        let mut control = self.control.lock();
        control.tally.events += 1;
        let pause = control.dice.between(1, 40) as u64;
        control.now += Duration::from_millis(pause);
        if let Some(terms) = self.setup.handover
            && control.dice.percent(30)
        {
            let (process, number) = (control.dice.below(self.slots.len() as u64) as usize, control.dice.below(1 << 16));
            drop(control);
            return self.act_on_handover(terms, process, number);
        }
        let retention = self.past.is_some() && control.dice.percent(1);
        let act = if retention { Act::Fault(Fault::Retention) } else { control.dice.weighted(ACTS) };
        let process = control.dice.below(self.slots.len() as u64) as usize;
        let number = control.dice.below(1 << 16);
        let happens = match act {
            Act::Fault(Fault::Retention) if self.can_overtake(number).is_none() => false,
            Act::Fault(fault) => control.allows(fault),
            _ => true,
        };
        let looks = self.past.is_some() && matches!(act, Act::Work | Act::Turn | Act::Threads) && control.dice.percent(25);
        drop(control);
        match act {
            _ if !happens => {}
            Act::Append => (0..=number % 10).for_each(|_| self.append_next()),
            Act::Work => {
                for _ in 0..=number % 4 {
                    self.drive(process, LocalProcess::work);
                }
            }
            Act::Turn => {
                self.drive(process, LocalProcess::turn);
            }
            Act::Threads => (0..=number % 8).for_each(|_| self.serve_a_thread(process)),
            Act::Pass => self.control.lock().now += Duration::from_millis(50 + number % 400),
            Act::Start => self.start(process),
            Act::Resume => self.resume(process),
            Act::Fault(fault) => self.trouble(fault, process, number),
        }
        if looks {
            self.look_for_the_end(process);
        }
    }

    fn serve_a_thread(&self, process: usize) {
        // One more than workers at most: the main thread.
        let thread = self.below(4);
        self.drive(process, |process| match thread.checked_sub(1) {
            Some(worker) if worker < process.workers().len() => process.serve_worker(worker),
            _ => process.serve_group(),
        });
    }

    fn trouble(&self, fault: Fault, process: usize, number: u64) {
        match fault {
            Fault::Stop => self.stop(process),
            Fault::Kill => self.kill(process),
            Fault::Pause => self.pause(process),
            Fault::Expire => self.expire(self.app_of(process), number as usize),
            Fault::Storm => self.storm(number),
            Fault::BrokerTime => {
                let seconds = 5 + number % 46;
                self.line(None, "broker time", || format!("{seconds} s"));
                self.log.advance(Duration::from_secs(seconds));
            }
            Fault::Stolen => {
                let id = format!("{}-{process}-{}", self.app_of(process), number % 3);
                self.line(None, "stolen", || id.clone());
                let config = ProducerConfig { transactional_id: Some(id) };
                let _ = self.log.producer(&config).map(|mut thief| thief.init());
            }
            Fault::Unavailable => self.unavailable(number),
            Fault::Outage => {
                self.line(None, "outage", String::new);
                let mut control = self.control.lock();
                control.outage = control.now + Duration::from_millis(20 + number % 400);
            }
            Fault::Trim => self.trim(process),
            Fault::Compact => self.compact(Tombstones::Keep),
            Fault::Tombstones => self.compact(Tombstones::Drop),
            Fault::StartMoved => self.move_starts(),
            Fault::TailCut => self.cut_tails(),
            Fault::Retention => self.overtake(number),
            _ => {}
        }
    }

    pub fn append_next(&self) {
        let Some(item) = self.items.get(self.fed.get()) else { return };
        self.fed.set(self.fed.get() + 1);
        let offset = item.append(&self.log);
        let place = format!("{}-{}", item.topic, item.partition);
        let shown = || item.event.as_ref().map_or_else(|| String::from("a bad record"), |event| format!("{event:?}"));
        self.control.lock().line(|| (None, None, "append", place, Some(offset), shown()));
    }

    fn pause(&self, process: usize) {
        let Ok(mut slot) = self.slots[process].try_borrow_mut() else { return };
        let Some(id) = self.control.lock().processes[process].member.clone() else { return };
        if slot.process.is_some() && self.log.crash_member(self.app_of(process), &id) {
            slot.paused = true;
            self.line(Some(process), "pauses", String::new);
        }
    }

    pub fn resume(&self, process: usize) {
        let Ok(mut slot) = self.slots[process].try_borrow_mut() else { return };
        if !std::mem::replace(&mut slot.paused, false) {
            return;
        }
        let mut control = self.control.lock();
        let id = control.processes[process].member.clone();
        let expired = !self.log.members(self.app_of(process)).iter().any(|member| Some(&member.id) == id.as_ref());
        control.mark_if(expired, Mark::PausedExpired);
        control.line(|| (Some(process), None, "resumes", String::new(), None, String::new()));
    }

    fn expire(&self, app: &str, number: usize) {
        let members = self.log.members(app);
        if members.is_empty() {
            return;
        }
        let id = &members[number % members.len()].id;
        self.line(None, "put out", || id.clone());
        self.log.expire_member(app, id);
    }

    fn storm(&self, number: u64) {
        for round in 0..3 + number % 4 {
            let process = self.below(self.slots.len());
            match (number >> (2 * round)) % 4 {
                0 => self.expire(self.app_of(process), process),
                1 => self.stop(process),
                _ => self.fall(process),
            }
            self.start(self.below(self.slots.len()));
            self.append_next();
            for process in 0..self.slots.len() {
                self.drive(process, LocalProcess::turn);
                self.drive(process, LocalProcess::turn);
            }
        }
    }

    /// A process dies when it is about to commit, and the group knows at once: its successor finds the transaction open.
    fn fall(&self, process: usize) {
        let mut control = self.control.lock();
        control.processes[process].falls = true;
        let id = control.processes[process].member.clone();
        drop(control);
        self.append_next();
        self.drive(process, LocalProcess::turn);
        self.control.lock().processes[process].falls = false;
        let fallen = self.slots[process].try_borrow().is_ok_and(|slot| slot.process.is_none());
        if let Some(id) = id.filter(|_| fallen) {
            self.log.expire_member(self.app_of(process), &id);
        }
    }

    fn unavailable(&self, number: u64) {
        let facts = &self.generations[number as usize % self.generations.len()].facts;
        let topics: Vec<_> = facts.subscription.iter().chain(&facts.changelogs).collect();
        let topic = topics[(number >> 4) as usize % topics.len()];
        let partition = TopicPartition { topic: topic.clone(), partition: (number % 4) as i32 % self.setup.partitions };
        self.line(None, "unavailable", || partition.to_string());
        let mut control = self.control.lock();
        let until = control.now + Duration::from_millis(50 + number % 900);
        control.unavailable.insert(partition, until);
    }
}
