//! The rows of a file in a topic of a run's own: each once, in the file's order within a partition, however often it is begun.
//!
//! How far an earlier try has got is read from the topic itself. Each row is one record, transactions are whole, and no other record is
//! ever written there, so the committed records are the file's first rows, and they are compared with them. A position kept in
//! a group would be cheaper to read, but the broker forgets it after a week, and the rows would be written twice.

use std::collections::BTreeMap;

use headwater_core::bounded::{InputSpan, RunRecord, Span};
use headwater_core::port::{Admin, GroupMetadata, Log, LogError, Producer, ProducerConfig, ReaderConfig};
use headwater_core::{Blueprint, DeclaredInput, Outgoing, Record, TopicName, TopicPartition};

use super::digest::Hash;
use super::scan::Scan;
use super::{BackfillError, OpenRows, Rows, run_name};
use crate::{RunError, topics};

/// Partitions where neither the input's topic nor one that is read with it says how many.
const PARTITIONS: i32 = 4;
/// What goes into a transaction, at most; a row that is larger goes alone.
const ROWS: usize = 10_000;
const BYTES: usize = 4 << 20;
/// Tries, when the log asks for another one.
const TRIES: u32 = 5;

/// Where the rows of a file are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    /// The topic that has them.
    pub topic: String,
    /// Where each of its partitions ends; all begin at offset 0.
    pub ends: Vec<i64>,
    /// How many there are.
    pub rows: u64,
}

impl Staged {
    /// A file that was not looked at yet: to find out with [`plan`](super::plan()) whether the rest of a request can be.
    pub fn unknown(app: &str, input: &str) -> Staged {
        Staged { topic: RunRecord::staging_topic(app, input), ends: Vec::new(), rows: 0 }
    }

    pub(super) fn spans(&self) -> impl Iterator<Item = InputSpan> + '_ {
        let span = |(partition, end)| InputSpan { topic: self.topic.clone(), partition, span: Span { start: 0, end } };
        (0..).zip(self.ends.iter().copied()).map(span)
    }

    pub(super) fn partitions(&self) -> i32 {
        i32::try_from(self.ends.len()).unwrap_or(i32::MAX)
    }
}

/// Writes the rows of a file for an input of run `id`. A try that was cut short is gone on with; what is complete is looked through, and
/// stays as it is. `blueprint` is the application's.
///
/// # Errors
/// There is no such input; a row is wrong; the rows of an earlier try are of another file; another process does the same; or the
/// cluster failed. What was written up to then stays.
pub fn stage(blueprint: &Blueprint, log: &dyn Log, id: &str, input: &str, open: OpenRows<'_>) -> Result<Staged, BackfillError> {
    let staging = Staging::find(blueprint, log, id, input)?;
    // Whether it can be read at all is found before anything is made.
    drop(open().map_err(BackfillError::File)?);
    topics::make_staging(log.admin()?.as_mut(), &staging.topic, staging.partitions)?;
    let mut tried = 0;
    loop {
        match staging.attempt(open) {
            Err(BackfillError::Run(RunError::Log(
                LogError::Retriable(why) | LogError::AbortTransaction(why) | LogError::Unusable(why),
            ))) if tried < TRIES => {
                tracing::info!(topic = %staging.topic, why, "staging a file is begun again where it is");
                tried += 1;
            }
            Err(BackfillError::Run(RunError::Log(LogError::Fenced(_)))) => {
                return Err(BackfillError::StagedElsewhere { id: id.to_owned(), input: input.to_owned() });
            }
            done => return done,
        }
    }
}

/// What [`stage`] would come to, without writing anything: all rows are read, so that a wrong one is found.
pub fn count(blueprint: &Blueprint, log: &dyn Log, id: &str, input: &str, open: OpenRows<'_>) -> Result<Staged, BackfillError> {
    let staging = Staging::find(blueprint, log, id, input)?;
    let mut ends = vec![0; TopicPartition::all_of(input, staging.partitions).len()];
    let mut rows = 0;
    for record in open().map_err(BackfillError::File)? {
        let record = record.map_err(BackfillError::File)?;
        rows += 1;
        if let Some(end) = ends.get_mut(usize::try_from(staging.partition_of(&record)).unwrap_or(0)) {
            *end += 1;
        }
    }
    Ok(Staged { topic: staging.topic.to_string(), ends, rows })
}

/// Removes what was staged for a run that has no plan because it was cut short before. Answers the topics that were there.
pub fn abandon(blueprint: &Blueprint, log: &dyn Log, id: &str) -> Result<Vec<String>, BackfillError> {
    let app = run_name(blueprint.app(), id);
    let names: Vec<String> = blueprint.input_topics().iter().map(|input| RunRecord::staging_topic(&app, input)).collect();
    let mut admin = log.admin()?;
    let mut topics: Vec<String> = admin.describe(&names)?.into_keys().collect();
    topics.sort_unstable();
    admin.delete(&topics)?;
    Ok(topics)
}

struct Staging<'a> {
    log: &'a dyn Log,
    /// The run's name, with which its transactional id begins.
    app: String,
    input: DeclaredInput,
    topic: TopicName,
    partitions: i32,
}

/// What a partition has: how many rows, and a digest of them in their order.
type Contents = BTreeMap<i32, (u64, Hash)>;

impl<'a> Staging<'a> {
    fn find(blueprint: &Blueprint, log: &'a dyn Log, id: &str, input: &str) -> Result<Staging<'a>, BackfillError> {
        super::plan::check_id(id)?;
        let unknown = || BackfillError::Unknown { what: "input", name: input.to_owned(), known: blueprint.input_topics() };
        let declared = blueprint.declared_input(input).ok_or_else(unknown)?;
        let app = run_name(blueprint.app(), id);
        let topic: TopicName = RunRecord::staging_topic(&app, input).into();
        let partitions = partitions(blueprint, log.admin()?.as_mut(), &topic, input)?;
        Ok(Staging { log, app, input: declared, topic, partitions })
    }

    fn attempt(&self, open: OpenRows<'_>) -> Result<Staged, BackfillError> {
        let id = format!("{}-file-{}", self.app, self.input.topic);
        let mut producer = self.log.producer(&ProducerConfig { transactional_id: Some(id) })?;
        // First this, then looking: whoever was at it before can commit no more.
        producer.init()?;
        let partitions = TopicPartition::all_of(&self.topic, self.partitions);
        let there = self.contents(&partitions)?;
        let mut rows = open().map_err(BackfillError::File)?;
        let mut count = self.skip(&mut rows, &there)?;
        loop {
            let records = next_rows(&mut rows)?;
            if records.is_empty() {
                break;
            }
            if let Err(error) = self.write(producer.as_mut(), &records) {
                // If this fails, too, whoever comes next settles it.
                let _ = producer.abort();
                return Err(error.into());
            }
            count += records.len() as u64;
        }
        let mut reader = self.log.reader(&ReaderConfig { group: self.app.clone(), read_uncommitted: false })?;
        let ends = reader.ends(&partitions)?.into_iter().map(|ends| ends.end).collect();
        Ok(Staged { topic: self.topic.to_string(), ends, rows: count })
    }

    /// What earlier tries committed.
    fn contents(&self, partitions: &[TopicPartition]) -> Result<Contents, LogError> {
        let mut there = Contents::new();
        Scan::of(self.log)?.through(partitions, &mut |partition, record| take(&mut there, partition.partition, &record))?;
        Ok(there)
    }

    /// Reads over the rows that are there, which must be the same.
    fn skip(&self, rows: &mut Rows, there: &Contents) -> Result<u64, BackfillError> {
        let count = there.values().map(|(rows, _)| rows).sum();
        let mut again = Contents::new();
        for record in (0..count).map_while(|_| rows.next()) {
            let record = record.map_err(BackfillError::File)?;
            take(&mut again, self.partition_of(&record), &record);
        }
        if again != *there {
            let (input, topic) = (self.input.topic.clone(), self.topic.to_string());
            return Err(BackfillError::FileChanged { input, topic, rows: count });
        }
        Ok(count)
    }

    fn write(&self, producer: &mut dyn Producer, records: &[Record]) -> Result<(), LogError> {
        producer.begin()?;
        for record in records {
            producer.send(Outgoing {
                topic: &self.topic,
                partition: self.partition_of(record),
                key: record.key.as_deref(),
                value: record.value.as_deref(),
                timestamp: record.timestamp,
                headers: &[],
                track_offset: false,
            })?;
        }
        producer.commit(&[], &GroupMetadata::none(&self.app))
    }

    /// Where live producers write it. One without key goes by its row, so that it is the same each time.
    fn partition_of(&self, record: &Record) -> i32 {
        self.input.partition_for(record.key.as_deref(), self.partitions, record.offset)
    }
}

/// Rows for one transaction; none at the end.
fn next_rows(rows: &mut Rows) -> Result<Vec<Record>, BackfillError> {
    let (mut records, mut bytes) = (Vec::new(), 0);
    while records.len() < ROWS && bytes < BYTES {
        let Some(record) = rows.next() else { break };
        let record = record.map_err(BackfillError::File)?;
        bytes += record.key.as_ref().map_or(0, |key| key.len()) + record.value.as_ref().map_or(0, |value| value.len());
        records.push(record);
    }
    Ok(records)
}

fn take(contents: &mut Contents, partition: i32, record: &Record) {
    let (rows, hash) = contents.entry(partition).or_default();
    *rows += 1;
    let time = record.timestamp.as_millis().to_be_bytes();
    for part in [record.key.as_deref(), record.value.as_deref(), Some(time.as_slice())] {
        hash.take(&[u8::from(part.is_some())]);
        hash.take(part.unwrap_or_default());
    }
}

/// As many as an earlier try had; else as the input's own topic has, or one that is read by the same tasks.
fn partitions(blueprint: &Blueprint, admin: &mut dyn Admin, staging: &str, input: &str) -> Result<i32, LogError> {
    let mut names = vec![staging.to_owned(), input.to_owned()];
    names.extend(blueprint.read_with(input));
    let found = admin.describe(&names)?;
    Ok(names.iter().find_map(|name| found.get(name)).map_or(PARTITIONS, |info| info.partitions))
}
