//! From what is asked for to a plan of exact offsets. The cluster is looked at once; what comes out never changes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use headwater_core::bounded::{InputSpan, Mode, RunPhase, RunRecord, SinkStanding, SinkUse, Span, TimeRange};
use headwater_core::port::{Admin, Ends, Log, ReaderConfig, TopicInfo};
use headwater_core::{Blueprint, InputTimes, Reach, Timestamp, TopicPartition};

use super::outputs::{output_suffix, outputs};
use super::sinks::sinks;
use super::state_from::settle;
use super::{BackfillError, Edge, Request, Staged};

/// A plan, and what whoever reads it should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// What will be kept.
    pub record: RunRecord,
    /// What may make the results differ from what is expected.
    pub warnings: Vec<String>,
}

/// The name a run has among applications.
pub fn run_name(app: &str, id: &str) -> String {
    format!("{app}.{id}")
}

/// Looks at the cluster and decides what a run reads and says. Writes nothing.
///
/// # Errors
/// What is asked for does not fit the topology or the logs; or the cluster failed.
pub fn plan(blueprint: &Blueprint, log: &dyn Log, request: &Request, now: Timestamp) -> Result<Draft, BackfillError> {
    check_id(&request.id)?;
    let request = &settle(blueprint, log, request)?;
    let output_suffix = output_suffix(blueprint, log, request)?;
    let outputs = outputs(blueprint, request, output_suffix.as_deref().unwrap_or_default())?;
    let sinks = sinks(blueprint, request)?;
    let times = Times::of(blueprint, request, &says(&outputs, &sinks))?;
    let mut admin = log.admin()?;
    let mut look = Look { blueprint, request, times: &times, log, warnings: Vec::new() };
    let spans = look.spans(admin.as_mut())?;
    look.warn_about_counts(admin.as_mut())?;
    let record = RunRecord {
        version: RunRecord::VERSION,
        id: request.id.clone(),
        app: run_name(blueprint.app(), &request.id),
        made_at: now,
        asked: request.asked.clone(),
        mode: request.mode,
        staged: request.staged.iter().map(|(input, staged)| (input.clone(), staged.topic.clone())).collect(),
        spans,
        sees: times.sees,
        says: times.says,
        finish: request.finish,
        outputs,
        output_suffix,
        sinks,
        state_from: request.state_from.clone(),
        phase: if request.state_from.is_some() { RunPhase::Preparing } else { RunPhase::Planned },
        then_live: request.then_live,
    };
    Ok(Draft { record, warnings: look.warnings })
}

pub(super) fn check_id(id: &str) -> Result<(), BackfillError> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if id.is_empty() || id.len() > 40 || !id.chars().all(is_plain) {
        return Err(BackfillError::BadId { id: id.to_owned() });
    }
    Ok(())
}

/// The outputs that get something.
fn says(outputs: &BTreeMap<String, Option<String>>, sinks: &BTreeMap<String, SinkUse>) -> BTreeSet<String> {
    let topics = outputs.iter().filter(|(_, to)| to.is_some()).map(|(topic, _)| topic.clone());
    let is_reached = |used: &SinkUse| matches!(used.standing, SinkStanding::Connected | SinkStanding::Allowed);
    topics.chain(sinks.iter().filter(|(_, used)| is_reached(used)).map(|(sink, _)| sink.clone())).collect()
}

/// What of event time matters.
struct Times {
    says: TimeRange,
    sees: TimeRange,
    /// How far behind `sees` the logs are read, because records may come out of order and windows wait for them.
    beyond: Duration,
    inputs: BTreeMap<String, InputTimes>,
}

impl Times {
    fn of(blueprint: &Blueprint, request: &Request, says: &BTreeSet<String>) -> Result<Times, BackfillError> {
        let inputs = blueprint.input_times();
        let late = inputs.values().map(|times| times.out_of_orderness).max().unwrap_or_default();
        let mut times = Times { says: TimeRange::ALL, sees: TimeRange::ALL, beyond: late + blueprint.largest_grace(), inputs };
        if let Edge::Time(from) = request.from
            && !request.then_live
        {
            let warmup = match &request.state_from {
                // All of it is there.
                Some(_) => Duration::ZERO,
                None => {
                    let reach = reach(blueprint, request, says)?;
                    request.warmup.unwrap_or(reach + late)
                }
            };
            (times.says.from, times.sees.from) = (from, from - warmup);
        }
        if let Edge::Time(to) = request.to {
            // The state of a run that says nothing is the state at that moment; results need the windows they begin.
            let overhang = if request.mode == Mode::StateOnly { Duration::ZERO } else { blueprint.overhang(to) };
            (times.says.to, times.sees.to) =
                // Where a run goes on live it is where files end.
                if request.then_live { (Timestamp::MAX, to) } else { (to, to + overhang) };
        }
        if times.says.from >= times.says.to {
            return Err(BackfillError::Empty);
        }
        Ok(times)
    }
}

/// How far back the outputs that count reach.
fn reach(blueprint: &Blueprint, request: &Request, says: &BTreeSet<String>) -> Result<Duration, BackfillError> {
    let reaches = blueprint.reaches();
    let counts = |output: &&String| match &request.outputs {
        Some(chosen) => chosen.contains(output),
        None => request.mode == Mode::StateOnly || says.contains(*output),
    };
    let (mut farthest, mut unbounded, mut others) = (Duration::ZERO, Vec::new(), Vec::new());
    for (topic, reach) in &reaches {
        match reach {
            Reach::Within(back) if counts(&topic) => {
                farthest = farthest.max(*back);
                others.push(topic.clone());
            }
            Reach::Unbounded if counts(&topic) => unbounded.push(topic.clone()),
            _ => {}
        }
    }
    if unbounded.is_empty() {
        Ok(farthest)
    } else {
        Err(BackfillError::Unbounded { outputs: unbounded, others: others.join(",") })
    }
}

/// One look at the logs.
struct Look<'a> {
    blueprint: &'a Blueprint,
    request: &'a Request,
    times: &'a Times,
    log: &'a dyn Log,
    warnings: Vec<String>,
}

impl Look<'_> {
    /// The spans of every input, in the order of names.
    fn spans(&mut self, admin: &mut dyn Admin) -> Result<Vec<InputSpan>, BackfillError> {
        let known = self.blueprint.input_topics();
        let chosen = self.request.inputs.clone().unwrap_or_else(|| known.clone());
        if let Some(name) = chosen.iter().chain(self.request.staged.keys()).find(|name| !known.contains(name)) {
            return Err(BackfillError::Unknown { what: "input", name: name.clone(), known });
        }
        let found = admin.describe(&known)?;
        let tables: BTreeSet<String> = self.blueprint.table_topics().into_iter().collect();
        let mut reader = self.log.reader(&ReaderConfig { group: self.blueprint.app().to_owned(), read_uncommitted: false })?;
        let mut spans = Vec::new();
        for topic in &chosen {
            if let Some(staged) = self.request.staged.get(topic) {
                spans.extend(staged.spans());
                if !self.request.then_live {
                    continue;
                }
                if tables.contains(topic) {
                    return Err(BackfillError::TableFromFile { input: topic.clone() });
                }
            }
            let Some(info) = found.get(topic) else {
                return Err(headwater_core::port::LogError::UnknownTopic { topic: topic.clone() }.into());
            };
            let partitions = TopicPartition::all_of(topic, info.partitions);
            let ends = reader.ends(&partitions)?;
            let is_table = tables.contains(topic);
            self.warn_about_history(topic, info, is_table, &ends);
            let starts = self.starts(admin, &partitions, &ends, is_table)?;
            let stops = self.stops(admin, &partitions, &ends, is_table)?;
            for ((partition, start), end) in partitions.into_iter().zip(starts).zip(stops) {
                // A partition that offsets do not name is not read.
                let span = start.zip(end).map_or(Span { start: 0, end: 0 }, |(start, end)| Span { start, end: end.max(start) });
                spans.push(InputSpan { topic: topic.clone(), partition: partition.partition, span });
            }
        }
        self.check_named(&spans)?;
        Ok(spans)
    }

    fn starts(
        &mut self,
        admin: &mut dyn Admin,
        partitions: &[TopicPartition],
        ends: &[Ends],
        is_table: bool,
    ) -> Result<Vec<Option<i64>>, BackfillError> {
        match &self.request.from {
            Edge::Offsets(offsets) if !is_table => named(offsets, partitions, ends),
            _ if self.continues_a_file(partitions) && self.is_record_time(partitions) => {
                at_time(admin, partitions, self.times.sees.to, ends)
            }
            Edge::Time(_) if !is_table && self.is_record_time(partitions) => {
                // Every record before the first of that time or later is earlier, in whatever order they are.
                at_time(admin, partitions, self.times.sees.from, ends)
            }
            _ => Ok(ends.iter().map(|log| Some(log.start)).collect()),
        }
    }

    fn stops(
        &mut self,
        admin: &mut dyn Admin,
        partitions: &[TopicPartition],
        ends: &[Ends],
        is_table: bool,
    ) -> Result<Vec<Option<i64>>, BackfillError> {
        let until = match &self.request.to {
            _ if self.request.then_live => None,
            Edge::Offsets(offsets) if !is_table => return named(offsets, partitions, ends),
            Edge::Time(to) if is_table => Some(*to),
            Edge::Time(_) if self.is_record_time(partitions) => Some(self.times.sees.to + self.times.beyond),
            _ => None,
        };
        match until {
            Some(until) => at_time(admin, partitions, until, ends),
            None => Ok(ends.iter().map(|log| Some(log.end)).collect()),
        }
    }

    /// Whether a file has what came before, and the topic only goes on.
    fn continues_a_file(&self, partitions: &[TopicPartition]) -> bool {
        partitions.first().is_some_and(|partition| self.request.staged.contains_key(&*partition.topic))
    }

    /// Whether the log can be asked where a time is.
    fn is_record_time(&self, partitions: &[TopicPartition]) -> bool {
        let topic = partitions.first().map(|partition| &*partition.topic);
        topic.and_then(|topic| self.times.inputs.get(topic)).is_none_or(|times| times.is_record_time)
    }

    fn warn_about_history(&mut self, topic: &str, info: &TopicInfo, is_table: bool, ends: &[Ends]) {
        let compacted = info.config.get("cleanup.policy").is_some_and(|policy| policy.contains("compact"));
        let by_time = matches!(self.request.from, Edge::Time(_)) || matches!(self.request.to, Edge::Time(_));
        if compacted && is_table && self.request.to != Edge::Now {
            self.warnings.push(format!(
                "table {topic} is compacted: earlier values of its rows are gone, so that joins see later values than a live run saw"
            ));
        } else if compacted && !is_table {
            self.warnings.push(format!("input {topic} is compacted: earlier records of its keys are gone"));
        }
        let trimmed = ends.iter().filter(|log| log.start > 0).count();
        if trimmed > 0 && (is_table || self.request.from == Edge::Earliest || by_time) {
            let first = ends.iter().map(|log| log.start).max().unwrap_or(0);
            self.warnings.push(format!(
                "{topic} begins behind offset 0 in {trimmed} of {} partitions (as far as {first}): what was there before is gone",
                ends.len()
            ));
        }
        if by_time && !is_table && self.times.inputs.get(topic).is_some_and(|times| !times.is_record_time) {
            self.warnings.push(format!(
                "input {topic} takes event time from its values, which the log cannot be searched for: it is read from its beginning to its end as of now"
            ));
        }
    }

    /// Keys go elsewhere since a topic got more partitions; the live application's own topics still have the count of before.
    fn warn_about_counts(&mut self, admin: &mut dyn Admin) -> Result<(), BackfillError> {
        let (known, own) = (self.blueprint.input_topics(), self.blueprint.internal_topic_names());
        let inputs = admin.describe(&known)?;
        let staged = self.request.staged.values().map(Staged::partitions);
        let counts: BTreeSet<i32> = inputs.values().map(|info| info.partitions).chain(staged).collect();
        let odd = |(_, info): &(String, TopicInfo)| !counts.contains(&info.partitions);
        for (topic, info) in admin.describe(&own)?.into_iter().filter(odd) {
            self.warnings.push(format!(
                "{topic} has {} partitions, which no input has (any more): if an input's count was changed, its keys are in other partitions since, and a range across the change mixes both",
                info.partitions
            ));
        }
        Ok(())
    }

    fn check_named(&self, spans: &[InputSpan]) -> Result<(), BackfillError> {
        for edge in [&self.request.from, &self.request.to] {
            let Edge::Offsets(offsets) = edge else { continue };
            let is_read = |partition: &TopicPartition| {
                spans.iter().any(|span| *span.topic == *partition.topic && span.partition == partition.partition)
            };
            if let Some(partition) = offsets.keys().find(|partition| !is_read(partition)) {
                return Err(BackfillError::NoSuchPartition { partition: partition.clone() });
            }
        }
        Ok(())
    }
}

/// The offsets named, which must be in the log; partitions that are not named are not read.
fn named(
    offsets: &BTreeMap<TopicPartition, i64>,
    partitions: &[TopicPartition],
    ends: &[Ends],
) -> Result<Vec<Option<i64>>, BackfillError> {
    let offset = |(partition, log): (&TopicPartition, &Ends)| match offsets.get(partition) {
        Some(offset) if (log.start..=log.end).contains(offset) => Ok(Some(*offset)),
        Some(offset) => Err(BackfillError::OutsideLog { partition: partition.clone(), offset: *offset, log: *log }),
        None => Ok(None),
    };
    partitions.iter().zip(ends).map(offset).collect()
}

/// The first offsets of that time or later; where a log ends if it has none.
fn at_time(
    admin: &mut dyn Admin,
    partitions: &[TopicPartition],
    time: Timestamp,
    ends: &[Ends],
) -> Result<Vec<Option<i64>>, BackfillError> {
    let asked: Vec<_> = partitions.iter().map(|partition| (partition.clone(), time.max(Timestamp::from_millis(0)))).collect();
    let found = admin.offsets_at(&asked)?;
    Ok(found.into_iter().zip(ends).map(|(found, log)| Some(found.unwrap_or(log.end))).collect())
}
