use std::collections::BTreeMap;

use bytes::Bytes;
use headwater_core::bounded::RunRecord;
use headwater_core::port::{Log, LogError};
use headwater_core::{Blueprint, TopicPartition};

use super::BackfillError;
use super::latest::{Filter, latest};
use super::scan::Scan;

/// A key whose values differ. None is no value, or a deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The output.
    pub topic: String,
    /// The key.
    pub key: Bytes,
    /// Its last value in the output.
    pub existing: Option<Bytes>,
    /// Its last value as it was computed again.
    pub recomputed: Option<Bytes>,
}

/// What a comparison came to, by output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Keys that are in the output or were computed again.
    pub compared: BTreeMap<String, u64>,
    /// Those among them whose values differ.
    pub different: BTreeMap<String, u64>,
}

impl Comparison {
    /// All differences.
    pub fn differences(&self) -> u64 {
        self.different.values().sum()
    }
}

/// Compares the last value of each key within the range: of the outputs that exist, with what the run wrote beside them. `differ` is told each
/// difference. Holds the keys and values of one partition at a time in memory, or of a whole topic if the two have different counts.
pub fn compare(
    blueprint: &Blueprint,
    log: &dyn Log,
    record: &RunRecord,
    differ: &mut dyn FnMut(Difference),
) -> Result<Comparison, BackfillError> {
    let mut comparison = Comparison::default();
    let (mut admin, mut scan) = (log.admin()?, Scan::of(log)?);
    for (topic, beside) in &record.outputs {
        let (Some(beside), Some(belongs)) = (beside, blueprint.belongs(topic)) else { continue };
        let filter = Filter { says: record.says, belongs };
        let live = record.live_output(topic);
        let found = admin.describe(&[live.clone(), beside.clone()])?;
        let missing = |topic: &String| LogError::UnknownTopic { topic: topic.clone() };
        let count = |topic: &String| found.get(topic).map(|info| info.partitions).ok_or_else(|| missing(topic));
        let (existing, recomputed) =
            (TopicPartition::all_of(&live, count(&live)?), TopicPartition::all_of(beside, count(beside)?));
        // Where keys go is decided by the count: with the same one a key is in the same partition of both.
        let step = if existing.len() == recomputed.len() { 1 } else { existing.len().max(recomputed.len()) };
        let (compared, different) =
            (comparison.compared.entry(topic.clone()).or_default(), comparison.different.entry(topic.clone()).or_default());
        for (existing, recomputed) in existing.chunks(step).zip(recomputed.chunks(step)) {
            let (mut old, new) = (latest(&mut scan, existing, filter)?, latest(&mut scan, recomputed, filter)?);
            let mut judge = |key: Vec<u8>, existing: Option<Vec<u8>>, recomputed: Option<Vec<u8>>| {
                *compared += 1;
                if existing != recomputed {
                    *different += 1;
                    let [existing, recomputed] = [existing, recomputed].map(|value| value.map(Bytes::from));
                    differ(Difference { topic: topic.clone(), key: key.into(), existing, recomputed });
                }
            };
            // Told by ascending key.
            for (key, value) in BTreeMap::from_iter(new) {
                let before = old.remove(&key).flatten();
                judge(key, before, value);
            }
            BTreeMap::from_iter(old).into_iter().for_each(|(key, value)| judge(key, value, None));
        }
    }
    Ok(comparison)
}
