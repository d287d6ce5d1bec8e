//! An application whose input says how each record fails, and what must come of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_core::engine::EngineError;
use headwater_core::port::{Log, NewTopic, Stores};
use headwater_core::{Blueprint, Plan, Policy, Record, Timestamp, Topology, dead_letter, partition_for};
use headwater_testkit::{LocalProcess, MemoryLog, MemoryStores, prepare};
use serde::{Deserialize, Serialize};

pub const APP: &str = "app";
pub const LETTERS: &str = "app-dead-letters";
/// What the topic `texts` takes.
const LIMIT: usize = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    Fine,
    /// No JSON.
    Undecodable,
    /// The code panics after it has changed its state.
    Panic,
    /// The same, behind a rekey.
    PanicBehind,
    /// An output is larger than its topic takes.
    Large,
    /// The state becomes larger than its changelog takes.
    Grown,
    /// The broker refuses an output.
    Refused,
    /// The broker refuses an output behind the rekey.
    RefusedBehind,
    /// The broker refuses a change of state.
    RefusedState,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub kind: Kind,
    pub group: String,
    pub amount: i64,
}

pub fn event(kind: Kind, amount: i64) -> Event {
    Event { kind, group: format!("g{}", amount % 3), amount }
}

#[derive(Default, Serialize, Deserialize)]
struct Total {
    sum: i64,
    text: String,
}

pub fn topology(policy: Policy) -> impl Fn(&mut Topology) {
    move |t| {
        let events = t.input::<String, Event>("events").on_error(policy);
        let totals = events.fold("totals", |total: &mut Total, event, _| {
            total.sum += event.amount;
            total.text = match event.kind {
                Kind::Grown => "x".repeat(2 * LIMIT),
                Kind::RefusedState => "refuse this state".into(),
                _ => String::new(),
            };
            assert!(event.kind != Kind::Panic, "a panic on {}", event.amount);
            Some(total.sum)
        });
        totals.to("totals");
        events.filter(|event| event.kind == Kind::Large).map(|_| "x".repeat(LIMIT)).to("texts");
        events.filter(|event| event.kind == Kind::Refused).map(|_| "refuse this text".to_owned()).to("texts");
        let groups = events.rekey("by-group", |event| event.group.clone());
        let sums = groups.fold("groups", |sum: &mut i64, event, _| {
            *sum += event.amount;
            assert!(event.kind != Kind::PanicBehind, "a panic behind on {}", event.amount);
            Some(*sum)
        });
        sums.to("groups");
        groups.filter(|event| event.kind == Kind::RefusedBehind).map(|_| "refuse this text".to_owned()).to("texts");
    }
}

/// A log, an application on it, and its disk.
pub struct World {
    pub log: MemoryLog,
    pub plan: Arc<Plan>,
    pub stores: MemoryStores,
    pub partitions: i32,
}

impl World {
    pub fn new(partitions: i32, topology: impl Fn(&mut Topology)) -> World {
        let log = MemoryLog::new();
        log.create_topic("events", partitions);
        let limited = |name: &str| NewTopic {
            name: name.into(),
            partitions,
            replication: None,
            config: BTreeMap::from([("max.message.bytes".to_owned(), LIMIT.to_string())]),
        };
        log.admin().unwrap().create(&[limited("texts"), limited("app-totals-changelog")]).unwrap();
        log.refuse(|record| {
            let refused = record.value.is_some_and(|value| String::from_utf8_lossy(value).contains("refuse this"));
            (refused && &**record.topic != "events" && !is_letter(record.topic)).then(|| "it does not like it".to_owned())
        });
        let plan = prepare(&Blueprint::of(APP, topology).unwrap(), &log).unwrap();
        World { log, plan, stores: MemoryStores::new(), partitions }
    }

    pub fn process(&self, id: &str) -> LocalProcess {
        let (log, stores) = self.handles();
        LocalProcess::start(&self.plan, &log, &stores, id, 1).unwrap()
    }

    pub fn handles(&self) -> (Arc<dyn Log>, Arc<dyn Stores>) {
        (Arc::new(self.log.clone()), Arc::new(self.stores.clone()))
    }

    /// Writes an event; an undecodable one is cut off. State that is refused has a key of its own: written over in the same transaction
    /// it would never be sent.
    pub fn send(&self, number: usize, event: &Event) {
        let key = match event.kind {
            Kind::RefusedState => format!("r{}", self.log.high_watermark("events", 0)),
            _ => format!("k{}", number % 4),
        };
        let mut value = serde_json::to_vec(event).unwrap();
        if event.kind == Kind::Undecodable {
            value.pop();
        }
        let partition = partition_for(Some(key.as_bytes()), self.partitions, 0);
        self.log.append("events", partition, Some(key.as_bytes()), Some(&value), Timestamp::from_millis(number as i64));
    }

    /// The values of an output.
    pub fn values(&self, topic: &str) -> Vec<String> {
        let records = (0..self.partitions).flat_map(|partition| self.log.read_all(topic, partition, true));
        records.map(|record| text(record.value.as_deref())).collect()
    }

    pub fn letters(&self) -> Vec<Record> {
        (0..self.partitions).flat_map(|partition| self.log.read_all(LETTERS, partition, true)).collect()
    }

    /// What each letter is about and at which stage it failed, in order: `events-0@3 decode`.
    pub fn faults(&self) -> Vec<String> {
        let about = |letter: &Record| {
            let of = |name| header(letter, name);
            format!(
                "{}-{}@{} {}",
                of(dead_letter::TOPIC),
                of(dead_letter::PARTITION),
                of(dead_letter::OFFSET),
                of(dead_letter::STAGE)
            )
        };
        let mut faults: Vec<String> = self.letters().iter().map(about).collect();
        faults.sort();
        faults
    }
}

pub fn is_letter(topic: &str) -> bool {
    topic == LETTERS
}

/// The last header of this name.
pub fn header(record: &Record, name: &str) -> String {
    record.headers.iter().rfind(|header| &*header.key == name).map_or_else(|| "-".into(), |header| text(header.value.as_deref()))
}

pub fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8(bytes.unwrap_or_default().to_vec()).unwrap()
}

/// What an engine stops with.
pub fn failure(result: Result<(), EngineError>) -> String {
    result.unwrap_err().to_string()
}
