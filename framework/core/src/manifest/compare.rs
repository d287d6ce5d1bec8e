//! What is different between two manifests, and what each difference means.

use super::{InputEntry, Manifest, RepartitionEntry, StoreEntry, TopologyChange, Verdict};
use crate::inspect::StoreKind;

const GONE: &str = "not in the topology";

impl Manifest {
    /// What changes when `new` takes over state kept under this manifest, the gravest first.
    pub fn changes_to(&self, new: &Manifest) -> Vec<TopologyChange> {
        let mut changes = Changes::default();
        if self.app != new.app {
            changes.note("application", "application".into(), &self.app, &new.app, Verdict::Incompatible);
        }
        if self.state_format != new.state_format {
            let (old, new) = (self.state_format.to_string(), new.state_format.to_string());
            changes.note("state-format", "format of stores and changelogs".into(), &old, &new, Verdict::Incompatible);
        }
        self.compare_stores(new, &mut changes);
        self.compare_repartitions(new, &mut changes);
        self.compare_inputs(new, &mut changes);
        self.compare_operators(new, &mut changes);
        changes.0.sort_by_key(|change| std::cmp::Reverse(change.verdict));
        changes.0
    }

    /// What of [`changes_to`](Manifest::changes_to) keeps `new` from taking over, given the names consented to.
    pub fn refusals(&self, new: &Manifest, consents: &[String]) -> Vec<TopologyChange> {
        let refused = |change: &TopologyChange| match change.verdict {
            Verdict::Compatible => false,
            Verdict::NeedsConsent => !consents.contains(&change.name),
            Verdict::Incompatible => true,
        };
        self.changes_to(new).into_iter().filter(refused).collect()
    }

    /// The manifest to keep once `new` takes over: with the stores given up so far.
    pub fn succeeded_by(&self, new: &Manifest) -> Manifest {
        let own = self.stores.iter().filter(|(_, entry)| entry.kind != StoreKind::TopicTable);
        let given_up = self.retired.iter().chain(own).filter(|(name, _)| !new.stores.contains_key(*name));
        Manifest { retired: given_up.map(|(name, entry)| (name.clone(), entry.clone())).collect(), ..new.clone() }
    }

    fn compare_stores(&self, new: &Manifest, changes: &mut Changes) {
        for (name, old) in &self.stores {
            match new.stores.get(name) {
                Some(new) => compare_store(name, old, new, changes),
                // Its topic is its state, and stays.
                None if old.kind == StoreKind::TopicTable => {
                    changes.note(name, of(name, old), "a table", GONE, Verdict::Compatible)
                }
                None => {
                    let came = |(name, _): &(&String, &StoreEntry)| !self.stores.contains_key(*name);
                    let twin = new.stores.iter().filter(came).find(|(_, entry)| old.looks_like(entry));
                    let now = twin.map_or_else(
                        || GONE.to_owned(),
                        |(twin, _)| format!("{GONE} (renamed to {twin:?}, which would start empty?)"),
                    );
                    changes.note(name, of(name, old), &format!("a {} store", old.kind), &now, Verdict::NeedsConsent);
                }
            }
        }
        for (name, new) in new.stores.iter().filter(|(name, _)| !self.stores.contains_key(*name)) {
            match self.retired.get(name).filter(|_| new.kind != StoreKind::TopicTable) {
                Some(retired) => {
                    let old = format!("given up, with old state left in {:?}", retired.changelog);
                    changes.note(name, of(name, new), &old, "back, and would go on from there", Verdict::NeedsConsent);
                }
                None => changes.note(name, of(name, new), GONE, &format!("a {} store", new.kind), Verdict::Compatible),
            }
        }
    }

    fn compare_repartitions(&self, new: &Manifest, changes: &mut Changes) {
        for (name, old) in &self.repartitions {
            let of = |what: &str| format!("repartition {name:?}{what}");
            let Some(new) = new.repartitions.get(name) else {
                let was = format!("topic {:?}, whose records would stay unprocessed", old.topic);
                changes.note(name, of(""), &was, GONE, Verdict::NeedsConsent);
                continue;
            };
            let RepartitionEntry { key, value, codec, partitions, .. } = old;
            changes.differ(name, of(": type of keys"), key, &new.key, Verdict::NeedsConsent);
            changes.differ(name, of(": type of values"), value, &new.value, Verdict::NeedsConsent);
            changes.differ(name, of(": codec"), codec, &new.codec, Verdict::NeedsConsent);
            changes.counts(name, of(": partitions"), *partitions, new.partitions, Verdict::Incompatible);
        }
        for name in new.repartitions.keys().filter(|name| !self.repartitions.contains_key(*name)) {
            changes.note(name, format!("repartition {name:?}"), GONE, "added", Verdict::Compatible);
        }
    }

    /// The bytes of an input are others': how they are read is no question of state.
    fn compare_inputs(&self, new: &Manifest, changes: &mut Changes) {
        for (name, old) in &self.inputs {
            let of = |what: &str| format!("input {name:?}{what}");
            let Some(new) = new.inputs.get(name) else {
                changes.note(name, of(""), "read", GONE, Verdict::Compatible);
                continue;
            };
            let InputEntry { role, key, value, codec, partitions } = old;
            changes.differ(name, of(": role"), role, &new.role, Verdict::Compatible);
            changes.differ(name, of(": type of keys"), key, &new.key, Verdict::Compatible);
            changes.differ(name, of(": type of values"), value, &new.value, Verdict::Compatible);
            changes.differ(name, of(": codec"), codec, &new.codec, Verdict::Compatible);
            // Where it matters, a store says so.
            changes.counts(name, of(": partitions"), *partitions, new.partitions, Verdict::Compatible);
        }
        for name in new.inputs.keys().filter(|name| !self.inputs.contains_key(*name)) {
            changes.note(name, format!("input {name:?}"), GONE, "read", Verdict::Compatible);
        }
    }

    /// What operators keep is in their stores.
    fn compare_operators(&self, new: &Manifest, changes: &mut Changes) {
        for (name, old) in &self.operators {
            match new.operators.get(name) {
                Some(new) => {
                    changes.differ(name, format!("operator {name:?}"), &old.operation, &new.operation, Verdict::Compatible)
                }
                None => changes.note(name, format!("operator {name:?}"), &old.operation, GONE, Verdict::Compatible),
            }
        }
        for (name, new) in new.operators.iter().filter(|(name, _)| !self.operators.contains_key(*name)) {
            changes.note(name, format!("operator {name:?}"), GONE, &new.operation, Verdict::Compatible);
        }
    }
}

fn of(name: &str, entry: &StoreEntry) -> String {
    format!("store {name:?} of operator {:?}", entry.operator)
}

fn compare_store(name: &str, old: &StoreEntry, new: &StoreEntry, changes: &mut Changes) {
    let of = |what: &str| format!("{}: {what}", of(name, new));
    if old.kind != new.kind {
        return changes.note(name, of("kind"), &old.kind.to_string(), &new.kind.to_string(), Verdict::Incompatible);
    }
    changes.counts(name, of("partitions"), old.partitions, new.partitions, Verdict::Incompatible);
    if new.kind == StoreKind::TopicTable {
        // It keeps the bytes of its topic, however they are read.
        return;
    }
    let none = String::from("none");
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| none.clone());
    changes.differ(name, of("type of keys"), &old.key, &new.key, Verdict::NeedsConsent);
    changes.differ(name, of("type of map keys"), &text(&old.entry), &text(&new.entry), Verdict::NeedsConsent);
    changes.differ(name, of("type of values"), &text(&old.value), &text(&new.value), Verdict::NeedsConsent);
    changes.differ(name, of("codec"), &text(&old.codec), &text(&new.codec), Verdict::NeedsConsent);
    let millis = |value: Option<u64>| value.map_or_else(|| none.clone(), |ms| format!("{ms} ms"));
    changes.differ(name, of("window length"), &millis(old.window_ms), &millis(new.window_ms), Verdict::Incompatible);
    // Windows close earlier or later from now on; what they hold is the same.
    changes.differ(name, of("retention"), &millis(old.retention_ms), &millis(new.retention_ms), Verdict::Compatible);
}

#[derive(Default)]
struct Changes(Vec<TopologyChange>);

impl Changes {
    fn note(&mut self, name: &str, what: String, old: &str, new: &str, verdict: Verdict) {
        self.0.push(TopologyChange { name: name.to_owned(), what, old: old.to_owned(), new: new.to_owned(), verdict });
    }

    fn differ(&mut self, name: &str, what: String, old: &str, new: &str, verdict: Verdict) {
        if old != new {
            self.note(name, what, old, new, verdict);
        }
    }

    /// Only where both are known.
    fn counts(&mut self, name: &str, what: String, old: Option<i32>, new: Option<i32>, verdict: Verdict) {
        if let (Some(old), Some(new)) = (old, new) {
            self.differ(name, what, &old.to_string(), &new.to_string(), verdict);
        }
    }
}
