//! A log, some processes with a disk each, and what may happen to them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use headwater_core::engine::EngineError;
use headwater_core::port::{Log, LogError, Stores};
use headwater_core::{Plan, Timestamp, TopicPartition, partition_for};
use headwater_testkit::{LocalProcess, MemoryLog, Tombstones, prepare};

use crate::chaos::{CRASHED, ChaosLog};
use crate::checks::Progress;
use crate::disk::Disk;
use crate::topology::{APP, Event, blueprint, name_of};

/// The group of the records that end the input: they carry event time past everything before.
pub const FLUSH: &str = "flush";
const FLUSH_TIME: i64 = 10_000_000;

#[derive(Clone, Copy, Debug)]
pub enum Failure {
    /// The call had no effect and may be made again.
    Retriable,
    /// The transaction cannot be committed.
    Abort,
    /// The producer is fenced.
    Fenced,
    /// The process dies before the call had an effect.
    Crash,
    /// The process dies before it learns that the call had its effect.
    CrashAfter,
}

#[derive(Clone, Debug)]
pub enum Action {
    Append(usize),
    /// Turns that commit only when it is time to.
    Work {
        process: usize,
        turns: usize,
    },
    /// A turn that commits when nothing is left to do.
    Turn {
        process: usize,
    },
    Tick {
        process: usize,
        millis: u64,
    },
    Start {
        process: usize,
        workers: usize,
    },
    Stop {
        process: usize,
        lose_disk: bool,
    },
    Crash {
        process: usize,
        lose_disk: bool,
        expire: bool,
    },
    /// A member is put out of the group; its process, if it still runs, does not know yet.
    Expire {
        member: usize,
    },
    /// Time passes for the brokers: sessions of crashed members end, transactions time out.
    Advance {
        seconds: u64,
    },
    Fault {
        after: usize,
        failure: Failure,
    },
    RetryReads,
    Trim,
    Compact,
}

struct Slot {
    process: Option<LocalProcess>,
    disk: Disk,
}

pub struct World {
    chaos: ChaosLog,
    plan: Arc<Plan>,
    partitions: i32,
    input: Vec<Event>,
    appended: usize,
    slots: Vec<Slot>,
    progress: Progress,
    pub compacted: bool,
}

/// The record that ends a source partition.
pub fn flush(partition: i32) -> Event {
    Event { key: format!("flush-{partition}"), group: FLUSH.into(), time: FLUSH_TIME, amount: 1 }
}

impl World {
    pub fn new(partitions: i32, fetch: usize, input: Vec<Event>) -> World {
        let log = MemoryLog::new();
        ["events", "names"].iter().for_each(|topic| log.create_topic(topic, partitions));
        let plan = prepare(&blueprint(), &log).unwrap();
        for group in 0..4 {
            let group = format!("g{group}");
            let partition = partition_for(Some(group.as_bytes()), partitions, 0);
            let name = name_of(&group).map(|name| format!("{name:?}"));
            for value in [Some("\"an old name\""), name.as_deref()] {
                log.append("names", partition, Some(group.as_bytes()), value.map(str::as_bytes), Timestamp::from_millis(1));
            }
        }
        let chaos = ChaosLog { inner: log, plan: Arc::new(Mutex::default()), fetch };
        let slots = (0..3).map(|_| Slot { process: None, disk: Disk::default() }).collect();
        World { chaos, plan, partitions, input, appended: 0, slots, progress: Progress::default(), compacted: false }
    }

    pub fn log(&self) -> &MemoryLog {
        &self.chaos.inner
    }

    pub fn partitions(&self) -> i32 {
        self.partitions
    }

    pub fn disks(&self) -> impl Iterator<Item = &Disk> {
        self.slots.iter().map(|slot| &slot.disk)
    }

    pub fn act(&mut self, action: &Action) {
        match *action {
            Action::Append(count) => {
                for _ in 0..count {
                    self.append_next();
                }
            }
            Action::Work { process, turns } => (0..turns).for_each(|_| {
                self.drive(process, LocalProcess::work);
            }),
            Action::Turn { process } => {
                self.drive(process, LocalProcess::turn);
            }
            Action::Tick { process, millis } => {
                if let Some(process) = &mut self.slots[process].process {
                    process.advance(Duration::from_millis(millis));
                }
            }
            Action::Start { process, workers } => self.start(process, workers),
            Action::Stop { process, lose_disk } => {
                if let Some(running) = self.slots[process].process.take() {
                    self.ended(process, running.stop(), lose_disk);
                }
            }
            Action::Crash { process, lose_disk, expire } => {
                if self.slots[process].process.is_some() {
                    self.crash(process, lose_disk);
                    if expire {
                        self.log().advance(Duration::from_secs(46));
                    }
                }
            }
            Action::Expire { member } => {
                if let Some(member) = self.log().members(APP).get(member) {
                    self.log().expire_member(APP, &member.id);
                }
            }
            Action::Advance { seconds } => self.log().advance(Duration::from_secs(seconds)),
            Action::Fault { after, failure } => self.chaos.plan.lock().unwrap().fault = Some((after, failure)),
            Action::RetryReads => self.chaos.plan.lock().unwrap().retry_reads = true,
            Action::Trim => self.trim(),
            Action::Compact => self.compact(),
        }
        self.progress.check(&self.chaos.inner, &self.plan);
    }

    /// Writes a row of the table.
    pub fn name(&self, group: &str, name: &str) {
        let partition = partition_for(Some(group.as_bytes()), self.partitions, 0);
        let value = serde_json::to_vec(name).unwrap();
        self.log().append("names", partition, Some(group.as_bytes()), Some(&value), Timestamp::from_millis(1));
    }

    /// Writes an event besides those of the input.
    pub fn send(&self, event: &Event) {
        self.append(event, partition_for(Some(event.key.as_bytes()), self.partitions, 0));
    }

    /// Lets everything come to rest without further trouble.
    pub fn settle(&mut self) {
        *self.chaos.plan.lock().unwrap() = Default::default();
        self.log().advance(Duration::from_secs(60));
        if self.slots.iter().all(|slot| slot.process.is_none()) {
            self.start(0, 1);
        }
        while self.appended < self.input.len() {
            self.append_next();
        }
        self.come_to_rest();
        for partition in 0..self.partitions {
            self.append(&flush(partition), partition);
        }
        self.come_to_rest();
    }

    fn come_to_rest(&mut self) {
        let mut quiet = 0;
        for _ in 0..2_000 {
            let mut active = false;
            for number in 0..self.slots.len() {
                active |= self.drive(number, LocalProcess::turn);
            }
            self.progress.check(&self.chaos.inner, &self.plan);
            quiet = if active { 0 } else { quiet + 1 };
            if quiet == 5 {
                return;
            }
        }
        panic!("it does not come to rest");
    }

    /// Lets a process do something; one that dies of it has crashed.
    fn drive(&mut self, number: usize, how: fn(&mut LocalProcess) -> Result<bool, EngineError>) -> bool {
        let Some(process) = &mut self.slots[number].process else { return false };
        match how(process) {
            Ok(active) => active,
            error => {
                self.ended(number, error.map(|_| ()), false);
                true
            }
        }
    }

    fn ended(&mut self, number: usize, result: Result<(), EngineError>, lose_disk: bool) {
        match result {
            Ok(()) if lose_disk => self.slots[number].disk = Disk::default(),
            Ok(()) => {}
            Err(EngineError::Log(LogError::Fatal(text))) if text == CRASHED => self.crash(number, lose_disk),
            Err(error) => panic!("process {number} ended: {error}"),
        }
    }

    fn start(&mut self, number: usize, workers: usize) {
        if self.slots[number].process.is_some() {
            return;
        }
        let log: Arc<dyn Log> = Arc::new(self.chaos.clone());
        let stores: Arc<dyn Stores> = Arc::new(self.slots[number].disk.clone());
        let process = LocalProcess::start(&self.plan, &log, &stores, &number.to_string(), workers).unwrap();
        self.slots[number].process = Some(process);
    }

    fn crash(&mut self, number: usize, lose_disk: bool) {
        let slot = &mut self.slots[number];
        slot.process = None;
        slot.disk.crash();
        if lose_disk {
            slot.disk = Disk::default();
        }
    }

    fn append_next(&mut self) {
        let Some(event) = self.input.get(self.appended).cloned() else { return };
        self.appended += 1;
        self.append(&event, partition_for(Some(event.key.as_bytes()), self.partitions, 0));
    }

    fn append(&self, event: &Event, partition: i32) {
        let value = serde_json::to_vec(event).unwrap();
        self.log().append("events", partition, Some(event.key.as_bytes()), Some(&value), Timestamp::from_millis(event.time));
    }

    /// Deletes what is committed from the repartition topics.
    fn trim(&self) {
        let mut admin = self.log().admin().unwrap();
        for topic in self.plan.internal_topics().into_iter().filter(|topic| !topic.changelog) {
            for partition in 0..topic.partitions {
                let partition = TopicPartition { topic: topic.topic.clone(), partition };
                if let Some(committed) = self.log().committed(APP, &partition) {
                    admin.delete_records(&[(partition, committed.offset)]).unwrap();
                }
            }
        }
    }

    fn compact(&mut self) {
        self.compacted = true;
        for topic in self.plan.internal_topics().into_iter().filter(|topic| topic.changelog) {
            self.log().compact(&topic.topic, Tombstones::Keep).unwrap();
        }
    }
}

/// Committed positions by partition.
pub type Positions = BTreeMap<TopicPartition, (i64, Vec<Option<i64>>)>;
