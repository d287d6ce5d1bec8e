use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use headwater_core::handover::Step;
use headwater_core::port::{Log, LogError, Reader, ReaderConfig};
use headwater_core::{ControlState, Manifest, Plan, TopicPartition};

use crate::RunError;
use crate::control::Control;
use crate::positions::standings;

/// A generation as its committed positions tell, whoever of its processes did the work.
pub(super) struct Generation {
    pub(super) name: String,
    reader: Box<dyn Reader>,
    /// What it reads from outside.
    pub(super) inputs: Vec<TopicPartition>,
    repartitions: Vec<TopicPartition>,
    /// Those of the inputs that have only what came before, and where they end.
    history: BTreeMap<TopicPartition, i64>,
}

/// How far a generation has got.
pub(super) struct Reached {
    /// In its inputs.
    pub(super) positions: BTreeMap<TopicPartition, i64>,
    /// What it knows of event time at all its partitions; nothing where it has committed nothing.
    pub(super) clocks: BTreeMap<TopicPartition, String>,
}

impl Generation {
    /// The one of this plan.
    pub(super) fn of(plan: &Plan, log: &dyn Log) -> Result<Generation, LogError> {
        let outside = plan.blueprint().input_topics();
        let all = plan.tasks().into_iter().flat_map(|task| {
            let partition = task.partition;
            plan.inputs_of(&task).into_iter().map(move |topic| TopicPartition { topic, partition })
        });
        let (inputs, repartitions) = all.partition(|partition| outside.iter().any(|topic| **topic == *partition.topic));
        let mut generation = Generation::reading(plan.blueprint().app(), inputs, repartitions, log)?;
        let history = plan.blueprint().history_topics();
        let is_history = |partition: &&TopicPartition| history.iter().any(|topic| **topic == *partition.topic);
        let before: Vec<TopicPartition> = generation.inputs.iter().filter(is_history).cloned().collect();
        let ends = generation.reader.ends(&before)?;
        generation.history = before.into_iter().zip(ends.into_iter().map(|ends| ends.end)).collect();
        Ok(generation)
    }

    /// One that is known by its manifest only, which may take `patience` to be read. None if it has never run.
    pub(super) fn find(name: &str, patience: Duration, log: &dyn Log) -> Result<Option<Generation>, RunError> {
        let state = Control::of(name, &headwater_core::control_topic(name), log).read(patience)?.unwrap_or_default();
        let Some(kept) = state.manifest else { return Ok(None) };
        let Manifest { inputs, repartitions, .. } = kept.manifest;
        let inputs = inputs.iter().map(|(topic, entry)| (topic.as_str(), entry.partitions));
        let repartitions = repartitions.values().map(|entry| (entry.topic.as_str(), entry.partitions));
        Ok(Some(Generation::reading(name, partitions(inputs), partitions(repartitions), log)?))
    }

    fn reading(
        name: &str,
        inputs: Vec<TopicPartition>,
        repartitions: Vec<TopicPartition>,
        log: &dyn Log,
    ) -> Result<Generation, LogError> {
        let reader = log.reader(&ReaderConfig { group: name.to_owned(), read_uncommitted: false })?;
        Ok(Generation { name: name.to_owned(), reader, inputs, repartitions, history: BTreeMap::new() })
    }

    /// Those of its inputs that grow.
    pub(super) fn live_inputs(&self) -> impl Iterator<Item = &TopicPartition> {
        self.inputs.iter().filter(|input| !self.history.contains_key(*input))
    }

    /// How far it may go where the one before it has got to `positions`.
    pub(super) fn fences(&self, positions: BTreeMap<TopicPartition, i64>) -> Arc<BTreeMap<TopicPartition, i64>> {
        Arc::new(positions.into_iter().chain(self.history.clone()).collect())
    }

    /// How far it has got, positions and event time of the same moment; the latter by the names that generation `heir` reads its partitions under.
    pub(super) fn look(&mut self, heir: &str) -> Result<Reached, LogError> {
        let all = self.partitions();
        let committed = self.reader.committed(&all)?;
        let ends = self.reader.ends(&self.inputs)?;
        let begun = committed.iter().map(|committed| committed.as_ref().map(|committed| committed.offset));
        let positions = begun.zip(&ends).map(|(begun, ends)| begun.unwrap_or(ends.start));
        let positions = self.inputs.iter().cloned().zip(positions).collect();
        let mut clocks = BTreeMap::new();
        for (partition, committed) in all.into_iter().zip(committed) {
            let own = partition.topic.strip_prefix(&self.name).filter(|_| self.repartitions.contains(&partition));
            let topic = own.map_or_else(|| partition.topic.to_string(), |rest| format!("{heir}{rest}"));
            let clock = committed.map(|committed| committed.metadata).unwrap_or_default();
            clocks.insert(TopicPartition::new(topic.as_str(), partition.partition), clock);
        }
        Ok(Reached { positions, clocks })
    }

    /// How far it has committed its inputs; those it has not begun are at the beginning of their logs.
    pub(super) fn positions(&mut self) -> Result<BTreeMap<TopicPartition, i64>, LogError> {
        let standings = standings(self.reader.as_mut(), &self.inputs)?;
        Ok(self.inputs.iter().cloned().zip(standings.into_iter().map(|standing| standing.position)).collect())
    }

    /// Offsets of the inputs between where it is and how far it may go.
    pub(super) fn behind(&mut self, fences: &BTreeMap<TopicPartition, i64>) -> Result<u64, LogError> {
        let positions = self.positions()?;
        let left = |(partition, position): (&TopicPartition, &i64)| {
            u64::try_from(fences.get(partition).copied().unwrap_or(0).saturating_sub(*position)).unwrap_or(0)
        };
        Ok(positions.iter().map(left).sum())
    }

    /// Offsets of its repartition topics that it has not committed.
    pub(super) fn on_its_way(&mut self) -> Result<u64, LogError> {
        let standings = standings(self.reader.as_mut(), &self.repartitions)?;
        let left = standings.iter().map(|standing| u64::try_from(standing.end.saturating_sub(standing.position)).unwrap_or(0));
        Ok(left.sum())
    }

    /// Whether it has committed everything there is in its repartition topics.
    pub(super) fn is_drained(&mut self) -> Result<bool, LogError> {
        Ok(self.on_its_way()? == 0)
    }

    /// Whether all that it reads is confirmed in this step.
    pub(super) fn has_confirmed(&self, step: Step, state: &ControlState) -> bool {
        state.confirmed_in(step).is_superset(&names(&self.partitions()))
    }

    /// Whether any process of it is in its group.
    pub(super) fn is_attended(&self, log: &dyn Log) -> Result<bool, LogError> {
        Ok(!log.admin()?.members(&self.name)?.is_empty())
    }

    /// Everything it reads.
    pub(super) fn partitions(&self) -> Vec<TopicPartition> {
        self.inputs.iter().chain(&self.repartitions).cloned().collect()
    }
}

/// Partitions as confirmations name them.
pub(super) fn names<'a>(partitions: impl IntoIterator<Item = &'a TopicPartition>) -> BTreeSet<(String, i32)> {
    partitions.into_iter().map(|partition| (partition.topic.to_string(), partition.partition)).collect()
}

fn partitions<'a>(topics: impl Iterator<Item = (&'a str, Option<i32>)>) -> Vec<TopicPartition> {
    topics.flat_map(|(topic, count)| TopicPartition::all_of(topic, count.unwrap_or(0))).collect()
}
