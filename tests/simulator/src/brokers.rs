//! What brokers and operators do to topics while an application runs.

use std::collections::BTreeMap;

use headwater_core::TopicPartition;
use headwater_core::port::Log;
use headwater_testkit::Tombstones;

use crate::cases::{Compare, Expected};
use crate::world::World;

impl World {
    fn changelogs(&self) -> Vec<TopicPartition> {
        let topics = self.generations.iter().flat_map(|generation| &generation.facts.changelogs);
        topics
            .flat_map(|topic| self.partitions_of(topic).map(|partition| TopicPartition::new(topic.clone(), partition)))
            .collect()
    }

    fn partitions_of(&self, topic: &str) -> std::ops::Range<i32> {
        let internal = self.generations.iter().flat_map(|generation| generation.plan.internal_topics());
        0..internal.into_iter().find(|internal| *internal.topic == *topic).map_or(0, |internal| internal.partitions)
    }

    /// A process deletes what is committed from the repartition topics.
    pub fn trim(&self, process: usize) {
        let ready = self.slots[process].try_borrow().is_ok_and(|slot| slot.process.is_some() && !slot.paused);
        if !ready {
            return;
        }
        let Ok(mut admin) = self.sim_log(process).admin() else { return };
        let facts = &self.generation_of(process).facts;
        for topic in &facts.repartitions {
            for partition in self.partitions_of(topic) {
                let partition = TopicPartition::new(topic.clone(), partition);
                if let Some(committed) = self.log.committed(&facts.app, &partition) {
                    // Tried again at the next time.
                    let _ = admin.delete_records(&[(partition, committed.offset)]);
                }
            }
        }
        if self.control.lock().processes[process].dead.is_some() {
            self.kill(process);
        }
    }

    /// Compacts the changelogs. Tombstones go only where every disk has read past them: brokers keep them for as long as a disk may stay
    /// away (`delete.retention.ms`).
    pub fn compact(&self, tombstones: Tombstones) {
        for topic in self.generations.iter().flat_map(|generation| &generation.facts.changelogs) {
            let all: Vec<TopicPartition> =
                self.partitions_of(topic).map(|partition| TopicPartition::new(topic.clone(), partition)).collect();
            if tombstones == Tombstones::Drop && !all.iter().all(|partition| self.is_past_tombstones(partition)) {
                continue;
            }
            let mut control = self.control.lock();
            all.iter().for_each(|partition| control.history.remember(&self.log, partition));
            control.changed.insert(topic.to_string());
            let removed = self.log.compact(topic, tombstones).unwrap_or_default();
            control.line(|| {
                (None, None, "compacts", topic.to_string(), None, format!("{removed} offsets, tombstones: {tombstones:?}"))
            });
        }
    }

    fn is_past_tombstones(&self, changelog: &TopicPartition) -> bool {
        let records = self.log.read_all(&changelog.topic, changelog.partition, true);
        let Some(last) = records.iter().filter(|record| record.value.is_none()).map(|record| record.offset).max() else {
            return true;
        };
        let Some(number) = self.generations.iter().position(|one| one.facts.changelogs.contains(&changelog.topic)) else {
            return true;
        };
        let store = self.generations[number].facts.store_of(&changelog.topic);
        let suffix = format!("-{}", changelog.partition);
        let disks = self.disks.iter().enumerate().filter(|(process, _)| self.generation_of(*process).facts.generation == number);
        let contents = disks.flat_map(|(_, disk)| disk.contents()).filter(|(task, _, _)| task.ends_with(&suffix));
        contents
            .flat_map(|(_, now, flushed)| [now, flushed])
            .all(|contents| contents.get(store).and_then(|store| store.offset()).is_none_or(|offset| offset > last))
    }

    /// Deletes the offsets that compaction left empty at the start of changelogs.
    pub fn move_starts(&self) {
        for partition in self.changelogs() {
            let stable = self.log.last_stable_offset(&partition.topic, partition.partition);
            let records = self.log.read_all(&partition.topic, partition.partition, false);
            let first = records.first().map_or(stable, |record| record.offset).min(stable);
            let mut control = self.control.lock();
            control.history.remember(&self.log, &partition);
            control.changed.insert(partition.topic.to_string());
            control.line(|| (None, None, "starts at", partition.to_string(), Some(first), String::new()));
            drop(control);
            let deleted = self.log.admin().and_then(|mut admin| admin.delete_records(&[(partition, first)]));
            deleted.expect("the offset is within the log");
        }
    }

    pub fn cut_tails(&self) {
        for partition in self.changelogs() {
            let cut = self.log.cut_uncommitted_tail(&partition.topic, partition.partition);
            if cut > 0 {
                let mut control = self.control.lock();
                control.changed.insert(partition.topic.to_string());
                control.line(|| (None, None, "tail cut", partition.to_string(), None, format!("{cut} offsets")));
            }
        }
    }

    /// Compares an output, read committed, with what it must have.
    pub fn compare(&self, expected: &Expected) -> Option<String> {
        let seen = self.results(&self.plan, expected.output)?;
        let (seen, wanted) = (in_order(seen, expected.compare), in_order(expected.records.iter().cloned(), expected.compare));
        let keys: Vec<&Vec<u8>> = seen.keys().chain(wanted.keys().filter(|key| !seen.contains_key(*key))).collect();
        keys.into_iter().find(|key| seen.get(*key) != wanted.get(*key)).map(|key| {
            let (has, wants) = (seen.get(key), wanted.get(key));
            format!("{} of key {}: has {has:?}, must have {wants:?}", expected.output, key.escape_ascii())
        })
    }
}

/// Values by key, as far as they are compared.
pub fn in_order(records: impl Iterator<Item = (Vec<u8>, String)>, compare: Compare) -> BTreeMap<Vec<u8>, Vec<String>> {
    let mut by_key: BTreeMap<Vec<u8>, Vec<String>> = BTreeMap::new();
    for (key, value) in records {
        by_key.entry(key).or_default().push(value);
    }
    for values in by_key.values_mut() {
        match compare {
            Compare::Sequence => {}
            Compare::Multiset => values.sort(),
            Compare::Newest => {
                let newest = values.split_off(values.len() - 1);
                *values = newest;
            }
        }
    }
    by_key
}
