//! From a blueprint and the partition counts of its input topics to a plan: how many tasks, and which internal topics.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use super::{Blueprint, Subtopology};
use crate::bounded::Bounded;
use crate::port::TopicInfo;
use crate::record::{TopicName, TopicPartition};
use crate::replay::ReplayEffect;
use crate::topology::{Changelog, Make, SourceRole, SourceSpec};

const MAX_MESSAGE_BYTES: &str = "max.message.bytes";

/// One task: a sub-topology at one partition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId {
    /// The sub-topology's name.
    pub subtopology: Arc<str>,
    /// The partition of all its inputs.
    pub partition: i32,
}

/// `<sub-topology>-<partition>`: in logs, metrics and the name of its state directory.
impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.subtopology, self.partition)
    }
}

/// A topic the application makes for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternalTopic {
    /// Its name.
    pub topic: TopicName,
    /// Its partitions.
    pub partitions: i32,
    /// Whether it is a changelog (compacted) or a repartition topic (trimmed after use).
    pub changelog: bool,
}

/// How a topic of others is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicUse {
    /// Its name.
    pub topic: TopicName,
    /// For an output: the partitions it gets if it has to be created.
    pub partitions: i32,
}

/// Why a topology does not fit the topics it finds.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum PlanError {
    /// An input topic does not exist.
    #[error("input topic {topic:?} does not exist; create it first, or correct its name in the topology")]
    MissingInput {
        /// The topic.
        topic: String,
    },
    /// Inputs of one task have different partition counts.
    #[error("the inputs of {subtopology:?} are read by the same tasks and must have equal partition counts, but have {counts}")]
    NotCopartitioned {
        /// The sub-topology.
        subtopology: String,
        /// Each topic with its count.
        counts: String,
    },
}

/// A blueprint on a cluster: every partition count is known.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) blueprint: Arc<Blueprint>,
    /// Tasks per sub-topology, in the blueprint's order.
    pub(crate) task_counts: Vec<i32>,
    /// Partitions of every topic read or written.
    pub(crate) partitions: BTreeMap<TopicName, i32>,
    /// The largest record a topic takes, in bytes, where that is known.
    limits: BTreeMap<TopicName, usize>,
    names: Vec<Arc<str>>,
    bounded: Option<Arc<Bounded>>,
}

impl Blueprint {
    /// The topics that must exist before the application starts.
    pub fn input_topics(&self) -> Vec<String> {
        self.sources().filter(|source| source.role != SourceRole::Repartition).map(|source| source.topic.to_string()).collect()
    }

    /// Whether records go through topics of the application's own on their way.
    pub fn has_repartitions(&self) -> bool {
        self.sources().any(|source| source.role == SourceRole::Repartition)
    }

    /// The topics the application writes for others.
    pub fn output_topics(&self) -> Vec<String> {
        let mut topics: Vec<String> =
            self.topic_sinks().filter(|sink| !sink.internal).map(|sink| sink.topic.to_string()).collect();
        topics.extend(self.dead_letters.iter().map(|topic| topic.to_string()));
        topics.sort_unstable();
        topics.dedup();
        topics
    }

    /// The systems outside of the log that records are delivered to, and what a replay may do to each.
    pub fn sinks(&self) -> BTreeMap<String, ReplayEffect> {
        let nodes = self.graph.nodes.iter().filter_map(|node| match &node.make {
            Make::Delivery(delivery) => Some((node.name.clone(), delivery.effect)),
            _ => None,
        });
        nodes.collect()
    }

    /// The topics the application makes for itself, sorted: changelogs and repartition topics.
    pub fn internal_topic_names(&self) -> Vec<String> {
        let changelogs = self.graph.stores.iter().filter_map(|store| match &store.changelog {
            Changelog::Own(topic) => Some(topic.to_string()),
            Changelog::Source(_) => None,
        });
        let repartitions = self.sources().filter(|source| source.role == SourceRole::Repartition);
        let mut topics: Vec<String> = changelogs.chain(repartitions.map(|source| source.topic.to_string())).collect();
        topics.sort_unstable();
        topics
    }

    /// Fits the topology to its topics: `existing` has the partition counts of those inputs and outputs that exist. A repartition
    /// topic gets the count of the inputs it is joined with, else the largest count among the sub-topologies that write it.
    pub fn plan(self: &Arc<Blueprint>, existing: &BTreeMap<String, i32>) -> Result<Arc<Plan>, PlanError> {
        let mut partitions: BTreeMap<TopicName, i32> = BTreeMap::new();
        for topic in self.input_topics() {
            let count = *existing.get(&topic).ok_or_else(|| PlanError::MissingInput { topic: topic.clone() })?;
            partitions.insert(topic.into(), count);
        }
        let mut task_counts = vec![None; self.subtopologies.len()];
        // A repartition topic may feed the next one: repeat until nothing new is known. Every round settles at least one part.
        while task_counts.contains(&None) {
            let open: Vec<usize> = (0..task_counts.len()).filter(|part| task_counts[*part].is_none()).collect();
            for part in open {
                if let Some(count) = self.task_count(&self.subtopologies[part], &partitions)? {
                    task_counts[part] = Some(count);
                    self.fix_repartitions(&self.subtopologies[part], count, &mut partitions);
                }
            }
            self.size_repartitions(&task_counts, &mut partitions);
        }
        let task_counts: Vec<i32> = task_counts.into_iter().flatten().collect();
        for (part, count) in self.subtopologies.iter().zip(&task_counts) {
            for sink in self.sinks_of(part).filter(|sink| !sink.internal) {
                let count = existing.get(&*sink.topic).copied().unwrap_or(*count);
                let known = partitions.entry(Arc::clone(&sink.topic)).or_insert(count);
                *known = if existing.contains_key(&*sink.topic) { *known } else { count.max(*known) };
            }
        }
        if let Some(topic) = &self.dead_letters {
            let most = task_counts.iter().copied().max().unwrap_or(1);
            partitions.insert(Arc::clone(topic), existing.get(&**topic).copied().unwrap_or(most));
        }
        let names = self.subtopologies.iter().map(|part| Arc::from(part.name.as_str())).collect();
        Ok(Arc::new(Plan { blueprint: Arc::clone(self), task_counts, partitions, limits: BTreeMap::new(), names, bounded: None }))
    }

    /// The tasks of a part: the count of its inputs, once one of them is known and they agree.
    fn task_count(&self, part: &Subtopology, partitions: &BTreeMap<TopicName, i32>) -> Result<Option<i32>, PlanError> {
        let known: Vec<(&TopicName, i32)> =
            self.sources_of(part).filter_map(|source| Some((&source.topic, *partitions.get(&source.topic)?))).collect();
        let fixed = self.sources_of(part).filter(|source| source.role != SourceRole::Repartition).count();
        let all_known = known.len() == self.sources_of(part).count();
        if known.is_empty() || (fixed == 0 && !all_known) {
            return Ok(None);
        }
        if known.iter().any(|(_, count)| *count != known[0].1) {
            let counts = known.iter().map(|(topic, count)| format!("{topic}: {count}")).collect::<Vec<_>>().join(", ");
            return Err(PlanError::NotCopartitioned { subtopology: part.name.clone(), counts });
        }
        Ok(Some(known[0].1))
    }

    fn fix_repartitions(&self, part: &Subtopology, count: i32, partitions: &mut BTreeMap<TopicName, i32>) {
        for source in self.sources_of(part).filter(|source| source.role == SourceRole::Repartition) {
            partitions.entry(Arc::clone(&source.topic)).or_insert(count);
        }
    }

    /// Gives repartition topics whose writers are all known the largest count among these; readers with an input of their own
    /// have fixed theirs before.
    fn size_repartitions(&self, task_counts: &[Option<i32>], partitions: &mut BTreeMap<TopicName, i32>) {
        for part in &self.subtopologies {
            let has_input = self.sources_of(part).any(|source| source.role != SourceRole::Repartition);
            let repartitions: Vec<&TopicName> = self
                .sources_of(part)
                .filter(|source| source.role == SourceRole::Repartition)
                .map(|source| &source.topic)
                .collect();
            if has_input || repartitions.is_empty() {
                continue;
            }
            let writers = self
                .subtopologies
                .iter()
                .zip(task_counts)
                .filter(|(writer, _)| self.sinks_of(writer).any(|sink| repartitions.contains(&&sink.topic)));
            let counts: Option<Vec<i32>> = writers.map(|(_, count)| *count).collect();
            if let Some(largest) = counts.and_then(|counts| counts.into_iter().max()) {
                for topic in repartitions {
                    partitions.entry(Arc::clone(topic)).or_insert(largest);
                }
            }
        }
    }
}

impl Plan {
    /// The topology.
    pub fn blueprint(&self) -> &Arc<Blueprint> {
        &self.blueprint
    }

    /// The same tasks over a fixed part of their inputs. `blueprint` should carry a name of its own: see [`Bounded`].
    pub fn within(&self, bounds: Bounded) -> Arc<Plan> {
        Arc::new(Plan { bounded: Some(Arc::new(bounds)), ..self.clone() })
    }

    /// The bounds; none for a live run.
    pub fn bounded(&self) -> Option<&Arc<Bounded>> {
        self.bounded.as_ref()
    }

    /// Whether a bounded run has nothing left to read of an input from this offset on.
    pub(crate) fn is_read_to_its_end(&self, partition: &TopicPartition, offset: i64) -> bool {
        let is_input = |bounds: &&Arc<Bounded>| bounds.spans.contains_key(partition) || !self.is_internal(&partition.topic);
        self.bounded.as_ref().filter(is_input).is_some_and(|bounds| offset >= bounds.span(partition).end)
    }

    fn is_internal(&self, topic: &TopicName) -> bool {
        self.blueprint.sources().any(|source| source.topic == *topic && source.role == SourceRole::Repartition)
    }

    /// All tasks, by sub-topology and partition.
    pub fn tasks(&self) -> Vec<TaskId> {
        let tasks = self.names.iter().zip(&self.task_counts);
        tasks.flat_map(|(name, count)| (0..*count).map(|partition| TaskId { subtopology: Arc::clone(name), partition })).collect()
    }

    /// The topics the group shares out: all that are read.
    pub fn subscription(&self) -> Vec<String> {
        self.blueprint.sources().map(|source| source.topic.to_string()).collect()
    }

    /// The topics a task reads.
    pub fn inputs_of(&self, task: &TaskId) -> Vec<TopicName> {
        self.part_of(task)
            .map(|part| self.blueprint.sources_of(part).map(|source| Arc::clone(&source.topic)).collect())
            .unwrap_or_default()
    }

    /// The same with what each is to the task.
    pub(crate) fn roles_of(&self, task: &TaskId) -> Vec<(TopicName, SourceRole)> {
        let sources = self.part_of(task).map(|part| self.blueprint.sources_of(part)).into_iter().flatten();
        sources.map(|source| (Arc::clone(&source.topic), source.role)).collect()
    }

    /// Repartition topics and changelogs.
    pub fn internal_topics(&self) -> Vec<InternalTopic> {
        let blueprint = &self.blueprint;
        let mut topics = Vec::new();
        for (part, count) in blueprint.subtopologies.iter().zip(&self.task_counts) {
            for source in blueprint.sources_of(part).filter(|source| source.role == SourceRole::Repartition) {
                topics.push(InternalTopic { topic: Arc::clone(&source.topic), partitions: *count, changelog: false });
            }
            for store in &part.stores {
                if let Changelog::Own(topic) = &blueprint.graph.stores[*store].changelog {
                    topics.push(InternalTopic { topic: Arc::clone(topic), partitions: *count, changelog: true });
                }
            }
        }
        topics
    }

    /// The topics that are written for others, with the partition counts they have or should get.
    pub fn outputs(&self) -> Vec<TopicUse> {
        let declared = self.blueprint.output_topics().into_iter().map(TopicName::from);
        let used = |topic: TopicName| {
            let partitions = self.partitions.get(&topic).copied().unwrap_or(1);
            self.output(&topic).map(|topic| TopicUse { topic, partitions })
        };
        declared.filter_map(used).collect()
    }

    /// Where what the topology writes to `topic` goes; none if this run does not write it.
    pub fn output(&self, topic: &TopicName) -> Option<TopicName> {
        self.bounded.as_ref().map_or_else(|| Some(TopicName::clone(topic)), |bounds| bounds.output(topic))
    }

    /// How a task uses a topic it reads.
    pub(crate) fn role_of(&self, task: &TaskId, topic: &TopicName) -> Option<SourceRole> {
        let part = self.part_of(task)?;
        self.blueprint.sources_of(part).find(|source| source.topic == *topic).map(|source| source.role)
    }

    /// Takes note of what the topics take (`max.message.bytes`): what does not fit is a failure of the record that leads to it, found
    /// before anything is sent.
    pub fn learn_limits(&mut self, topics: &BTreeMap<String, TopicInfo>) {
        let limit = |info: &TopicInfo| info.config.get(MAX_MESSAGE_BYTES)?.parse::<usize>().ok();
        self.limits.extend(topics.iter().filter_map(|(topic, info)| Some((topic.as_str().into(), limit(info)?))));
    }

    pub(crate) fn limit_of(&self, topic: &TopicName) -> usize {
        self.limits.get(topic).copied().unwrap_or(usize::MAX)
    }

    pub(crate) fn part_of(&self, task: &TaskId) -> Option<&Subtopology> {
        self.blueprint.subtopologies.iter().find(|part| *part.name == *task.subtopology)
    }

    /// How many tasks write to a repartition topic: the lanes its readers keep a watermark for.
    pub(crate) fn lanes_of(&self, topic: &TopicName) -> i32 {
        let parts = self.blueprint.subtopologies.iter().zip(&self.task_counts);
        parts
            .filter(|(part, _)| self.blueprint.sinks_of(part).any(|sink| sink.topic == *topic))
            .map(|(_, count)| *count)
            .max()
            .unwrap_or(0)
    }
}

impl Blueprint {
    pub(super) fn sources(&self) -> impl Iterator<Item = &SourceSpec> {
        self.graph.nodes.iter().filter_map(|node| match &node.make {
            Make::Source(source) => Some(source),
            _ => None,
        })
    }

    fn topic_sinks(&self) -> impl Iterator<Item = &crate::topology::SinkSpec> {
        self.graph.nodes.iter().filter_map(|node| match &node.make {
            Make::Sink(sink) => Some(sink),
            _ => None,
        })
    }

    pub(crate) fn sources_of<'a>(&'a self, part: &'a Subtopology) -> impl Iterator<Item = &'a SourceSpec> {
        part.nodes.iter().filter_map(|number| match &self.graph.nodes[*number].make {
            Make::Source(source) => Some(source),
            _ => None,
        })
    }

    fn sinks_of<'a>(&'a self, part: &'a Subtopology) -> impl Iterator<Item = &'a crate::topology::SinkSpec> {
        part.nodes.iter().filter_map(|number| match &self.graph.nodes[*number].make {
            Make::Sink(sink) => Some(sink),
            _ => None,
        })
    }
}
