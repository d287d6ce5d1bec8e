//! The same once more, by one process that nothing happens to: what comes of a run must depend on nothing else than its input.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use headwater_core::bounded::Completion;
use headwater_core::port::{Log, ReaderConfig, Stores};
use headwater_core::{Blueprint, Plan};
use headwater_testkit::{LocalProcess, MemoryStores, prepare};

use super::{Past, bounds};
use crate::brokers::in_order;
use crate::cases::{APP, End, Item};
use crate::mark::Mark;
use crate::world::World;

/// Under which names.
const AGAIN: &str = "again";
const LIVE: &str = "live";

type Fold = BTreeMap<Bytes, Bytes>;

impl World {
    /// Compares results and state with a bounded run over the same spans, and where all is read with a live run.
    pub fn compare_with_others(&self, past: &Past) {
        let Some(terms) = self.setup.bounded else { return };
        let again = self.plan_as(AGAIN);
        let again = again.within(bounds(past, terms, AGAIN, &again));
        for output in again.outputs() {
            self.log.create_topic(&output.topic, output.partitions);
        }
        let differs = self.run(&again).or_else(|| self.difference(past, &again, "another bounded run"));
        let differs = differs.or_else(|| {
            let live = terms.parity.then(|| self.plan_as(LIVE))?;
            self.control.lock().mark(Mark::BoundedParity);
            self.run(&live).or_else(|| self.difference(past, &live, "a live run"))
        });
        if let Some(text) = differs {
            self.control.lock().violate("another run", text);
        }
    }

    fn plan_as(&self, app: &str) -> Arc<Plan> {
        let blueprint = Blueprint::of(app, |t| self.setup.case.topology(t)).expect("the cases are valid");
        prepare(&blueprint, &self.log).expect("the inputs exist")
    }

    /// Runs it to its end; answers what was wrong.
    fn run(&self, plan: &Arc<Plan>) -> Option<String> {
        let app = plan.blueprint().app();
        let log: Arc<dyn Log> = Arc::new(self.log.clone());
        let stores: Arc<dyn Stores> = Arc::new(MemoryStores::new());
        let settled = LocalProcess::start(plan, &log, &stores, "one", 1).and_then(|mut process| {
            process.settle()?;
            process.stop()
        });
        if let Err(error) = settled {
            return Some(format!("{app} ended: {error}"));
        }
        let completion = Completion::of(plan)?;
        let config = ReaderConfig { group: app.to_owned(), read_uncommitted: false };
        let mut reader = log.reader(&config).expect("the log in memory always has a reader");
        let progress = completion.look(reader.as_mut()).expect("the log in memory always answers");
        (!progress.is_complete()).then(|| format!("{app} does not end: {progress:?}"))
    }

    fn difference(&self, past: &Past, other: &Plan, what: &str) -> Option<String> {
        let items: Vec<Item> = past.items.iter().map(|(_, item)| item.clone()).collect();
        let outputs = self.setup.case.expected(self.setup.partitions, &items, &End::Passed);
        let differs = outputs.iter().find_map(|output| {
            let (ours, theirs) = (self.results(&self.plan, output.output)?, self.results(other, output.output)?);
            let (ours, theirs) = (in_order(ours, output.compare), in_order(theirs, output.compare));
            let key = ours.keys().chain(theirs.keys()).find(|key| ours.get(*key) != theirs.get(*key))?;
            let (ours, theirs) = (ours.get(key), theirs.get(key));
            Some(format!("{} of key {}: has {ours:?}, {what} {theirs:?}", output.output, key.escape_ascii()))
        });
        differs.or_else(|| self.facts.changelogs.iter().find_map(|topic| self.state_differs(topic, other, what)))
    }

    /// What is in an output, read committed; none if it is not written.
    pub fn results(&self, plan: &Plan, output: &str) -> Option<impl Iterator<Item = (Vec<u8>, String)> + use<>> {
        let topic = plan.output(&output.into())?;
        let partitions = plan.outputs().iter().find(|output| output.topic == topic)?.partitions;
        let (log, text) = (self.log.clone(), |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned());
        let records = (0..partitions).flat_map(move |partition| log.read_all(&topic, partition, true));
        Some(records.map(move |record| (record.key.unwrap_or_default().to_vec(), text(&record.value.unwrap_or_default()))))
    }

    /// Compares what a changelog comes to with the other run's.
    fn state_differs(&self, topic: &str, other: &Plan, what: &str) -> Option<String> {
        let store = self.facts.store_of(topic);
        let theirs = format!("{}-{store}-changelog", other.blueprint().app());
        debug_assert_eq!(topic, format!("{APP}-{store}-changelog"));
        (0..self.setup.partitions).find_map(|partition| {
            let (ours, theirs) = (self.fold(topic, partition), self.fold(&theirs, partition));
            let key = ours.keys().chain(theirs.keys()).find(|key| ours.get(*key) != theirs.get(*key))?;
            let show =
                |value: Option<&Bytes>| value.map_or_else(|| String::from("nothing"), |value| value.escape_ascii().to_string());
            let (ours, theirs) = (show(ours.get(key)), show(theirs.get(key)));
            Some(format!("{store}-{partition} has {ours} under {}, {what} {theirs}", key.escape_ascii()))
        })
    }

    fn fold(&self, topic: &str, partition: i32) -> Fold {
        let mut fold = Fold::new();
        for record in self.log.read_all(topic, partition, true) {
            let Some(key) = record.key else { continue };
            match record.value {
                Some(value) => fold.insert(key, value),
                None => fold.remove(&key),
            };
        }
        fold
    }
}
