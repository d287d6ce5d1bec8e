use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use headwater_core::TopicPartition;
use headwater_testkit::MemoryLog;

use crate::disk::Contents;
use crate::ports::Facts;

type Written = (Bytes, Option<Bytes>);
type Entries = BTreeMap<Bytes, Bytes>;

/// What changelogs had before they were compacted or trimmed, by offset.
#[derive(Default)]
pub struct History {
    records: BTreeMap<TopicPartition, BTreeMap<i64, Written>>,
}

impl History {
    /// To be called before a changelog loses records.
    pub fn remember(&mut self, log: &MemoryLog, partition: &TopicPartition) {
        let records = self.records.entry(partition.clone()).or_default();
        records.extend(committed(log, partition));
    }

    /// What a changelog's records before `end` come to, and which keys have later ones.
    fn until(&self, log: &MemoryLog, partition: &TopicPartition, end: i64) -> (Entries, BTreeSet<Bytes>) {
        let mut all = self.records.get(partition).cloned().unwrap_or_default();
        all.extend(committed(log, partition));
        let later = all.split_off(&end).into_values().map(|(key, _)| key).collect();
        let mut fold = Entries::new();
        for (key, value) in all.into_values() {
            match value {
                Some(value) => fold.insert(key, value),
                None => fold.remove(&key),
            };
        }
        (fold, later)
    }
}

/// Also behind what a dead process has left open: its successor may write there before the brokers end that, and its store goes on.
fn committed(log: &MemoryLog, partition: &TopicPartition) -> impl Iterator<Item = (i64, Written)> + use<> {
    let records = log.read_settled(&partition.topic, partition.partition).into_iter();
    records.filter_map(|record| Some((record.offset, (record.key?, record.value))))
}

/// Each store of a task is exactly its changelog up to the offset beside it; tells the first one that is not. A compacted changelog may
/// have given a store less on the way: only of keys that it has more of to give.
pub fn difference(history: &History, facts: &Facts, log: &MemoryLog, task: &str, contents: &Contents) -> Option<String> {
    let partition = task.rsplit('-').next()?.parse().ok()?;
    contents.iter().find_map(|(name, store)| {
        let changelog = TopicPartition { topic: facts.changelog_of(name), partition };
        if !facts.changelogs.contains(&changelog.topic) {
            return None;
        }
        let (expected, later) = history.until(log, &changelog, store.offset().unwrap_or(0));
        let compacted = history.records.contains_key(&changelog);
        let mut keys = store.entries.keys().chain(expected.keys());
        let key = keys.find(|key| store.entries.get(*key) != expected.get(*key) && !(compacted && later.contains(*key)))?;
        let show = |entries: &Entries| {
            entries.get(key).map_or_else(|| String::from("nothing"), |value| value.escape_ascii().to_string())
        };
        let (has, wants) = (show(&store.entries), show(&expected));
        Some(format!(
            "{name} of {task} at offset {:?} has {has} under {}, its changelog {wants}",
            store.offset(),
            key.escape_ascii()
        ))
    })
}

/// Entries of time-ordered stores that event time has passed and that should be gone: store, partition and how many.
pub fn leftovers(facts: &Facts, log: &MemoryLog, delays: &[(&str, i64)], partitions: i32, watermark: i64) -> Option<String> {
    delays.iter().find_map(|(store, delay)| {
        (0..partitions).find_map(|partition| {
            let changelog = TopicPartition { topic: facts.changelog_of(store), partition };
            let mut left: BTreeMap<Bytes, Option<Bytes>> = committed(log, &changelog).map(|(_, written)| written).collect();
            left.retain(|key, value| value.is_some() && time_of(key) + delay <= watermark);
            (!left.is_empty()).then(|| format!("{} entries of {store}-{partition} are past their time", left.len()))
        })
    })
}

/// The time a time-ordered entry begins with: 8 bytes, sign flipped (`core::state::layout`).
fn time_of(entry: &[u8]) -> i64 {
    let bytes = entry.first_chunk::<8>().copied().unwrap_or_default();
    (u64::from_be_bytes(bytes) ^ (1 << 63)) as i64
}

#[cfg(test)]
mod tests {
    use headwater_core::port::{Log, ProducerConfig};
    use headwater_core::{Outgoing, Timestamp};

    use super::*;

    #[test]
    fn a_changelog_goes_on_behind_what_a_dead_process_left_open() {
        let log = MemoryLog::new();
        log.create_topic("changelog", 1);
        let config = ProducerConfig { transactional_id: Some("dead".into()) };
        let mut dead = log.producer(&config).expect("the log in memory always has one");
        dead.init().expect("nobody competes");
        dead.begin().expect("it is registered");
        let topic = "changelog".into();
        let (key, value) = (Some(&b"open"[..]), Some(&b"1"[..]));
        let timestamp = Timestamp::from_millis(0);
        let record = Outgoing { topic: &topic, partition: 0, key, value, timestamp, headers: &[], track_offset: false };
        dead.send(record).expect("a transaction is open");
        log.append("changelog", 0, Some(b"later"), Some(b"2"), timestamp);
        let (fold, _) = History::default().until(&log, &TopicPartition::new("changelog", 0), 2);
        assert_eq!(fold, Entries::from([(Bytes::from("later"), Bytes::from("2"))]));
    }
}
