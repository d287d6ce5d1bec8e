use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use headwater_core::port::{Log, LogError, Reader, ReaderConfig};
use headwater_core::{Manifest, TopicPartition};

use crate::RunError;
use crate::control::Control;

/// How long its control topic may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The generation that is to be taken over, as seen from outside.
pub(super) struct Old {
    pub(super) name: String,
    reader: Box<dyn Reader>,
    /// What it reads from outside.
    pub(super) inputs: Vec<TopicPartition>,
    repartitions: Vec<TopicPartition>,
}

impl Old {
    /// Finds out by its manifest what it reads. None if it has never run.
    pub(super) fn find(name: &str, log: &dyn Log) -> Result<Option<Old>, RunError> {
        let state = Control::of(name, &headwater_core::control_topic(name), log).read(PATIENCE)?.unwrap_or_default();
        let Some(kept) = state.manifest else { return Ok(None) };
        let Manifest { inputs, repartitions, .. } = kept.manifest;
        let inputs = inputs.iter().map(|(topic, entry)| (topic.as_str(), entry.partitions));
        let repartitions = repartitions.values().map(|entry| (entry.topic.as_str(), entry.partitions));
        let (inputs, repartitions) = (partitions(inputs), partitions(repartitions));
        let reader = log.reader(&ReaderConfig { group: name.to_owned(), read_uncommitted: false })?;
        Ok(Some(Old { name: name.to_owned(), reader, inputs, repartitions }))
    }

    /// How far it has committed its inputs; those it has not begun are at the beginning of their logs.
    pub(super) fn positions(&mut self) -> Result<Vec<(TopicPartition, i64)>, LogError> {
        let committed = self.reader.committed(&self.inputs)?;
        let ends = self.reader.ends(&self.inputs)?;
        let position = |((partition, committed), ends): (
            (&TopicPartition, Option<headwater_core::port::Committed>),
            headwater_core::port::Ends,
        )| { (partition.clone(), committed.map_or(ends.start, |committed| committed.offset)) };
        Ok(self.inputs.iter().zip(committed).zip(ends).map(position).collect())
    }

    /// What its inputs know of event time, by the names that generation `heir` reads them under.
    pub(super) fn clocks(&mut self, heir: &str) -> Result<BTreeMap<TopicPartition, String>, LogError> {
        let mut clocks = BTreeMap::new();
        let all: Vec<TopicPartition> = self.inputs.iter().chain(&self.repartitions).cloned().collect();
        let committed = self.reader.committed(&all)?;
        for (partition, committed) in all.into_iter().zip(committed) {
            let Some(committed) = committed else { continue };
            let own = partition.topic.strip_prefix(&self.name).filter(|_| self.repartitions.contains(&partition));
            let topic = own.map_or_else(|| partition.topic.to_string(), |rest| format!("{heir}{rest}"));
            clocks.insert(TopicPartition::new(topic.as_str(), partition.partition), committed.metadata);
        }
        Ok(clocks)
    }

    /// Whether nothing is on its way through its repartition topics.
    pub(super) fn is_drained(&mut self) -> Result<bool, LogError> {
        is_drained(self.reader.as_mut(), &self.repartitions)
    }

    /// The inputs as confirmations name them.
    pub(super) fn names(&self) -> BTreeSet<(String, i32)> {
        names(&self.inputs)
    }
}

/// Whether a group has committed everything there is in these partitions.
pub(super) fn is_drained(reader: &mut dyn Reader, partitions: &[TopicPartition]) -> Result<bool, LogError> {
    let committed = reader.committed(partitions)?;
    let ends = reader.ends(partitions)?;
    let done = |(committed, ends): (Option<headwater_core::port::Committed>, headwater_core::port::Ends)| {
        committed.map_or(ends.start, |committed| committed.offset) >= ends.end
    };
    Ok(committed.into_iter().zip(ends).all(done))
}

pub(super) fn names(partitions: &[TopicPartition]) -> BTreeSet<(String, i32)> {
    partitions.iter().map(|partition| (partition.topic.to_string(), partition.partition)).collect()
}

fn partitions<'a>(topics: impl Iterator<Item = (&'a str, Option<i32>)>) -> Vec<TopicPartition> {
    topics
        .flat_map(|(topic, count)| (0..count.unwrap_or(0)).map(move |partition| TopicPartition::new(topic, partition)))
        .collect()
}
