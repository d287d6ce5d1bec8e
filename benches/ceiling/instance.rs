use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use headwater_benches::{Job, REPARTITION, TABLE, Workload};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::client::{Sender, consumer, text};
use crate::native::{Queue, Received};
use crate::state::Databases;
use crate::step::Step;

/// A batch is waited for until it is full or so long: short where every record is waited for.
const WAIT: Duration = Duration::from_millis(10);
const WAIT_LIVE: Duration = Duration::from_millis(1);
const LIMIT: Duration = Duration::from_secs(30);
/// Nothing arrives for this long: something is wrong.
const SILENCE: Duration = Duration::from_secs(60);

/// What all workers together have processed.
#[derive(Default)]
pub(crate) struct Counts {
    /// Records of the input.
    input: AtomicU64,
    /// Records of the repartition topic.
    rekeyed: AtomicU64,
}

/// One topic's partitions of a worker: next offset and, where it has one, the end.
struct Source {
    topic: String,
    next: BTreeMap<i32, i64>,
    ends: BTreeMap<i32, i64>,
}

impl Source {
    fn of(consumer: &BaseConsumer, topic: &str, partitions: &[i32]) -> Result<Source, String> {
        let (mut next, mut ends) = (BTreeMap::new(), BTreeMap::new());
        for partition in partitions {
            let (start, end) = consumer.fetch_watermarks(topic, *partition, LIMIT).map_err(text(topic))?;
            next.insert(*partition, start);
            ends.insert(*partition, end);
        }
        Ok(Source { topic: topic.to_owned(), next, ends })
    }

    fn is_at_end(&self) -> bool {
        self.next.iter().all(|(partition, next)| self.ends.get(partition).is_none_or(|end| next >= end))
    }

    fn passed(&mut self, record: &Received<'_>) {
        self.next.insert(record.partition, record.offset + 1);
    }

    fn add_to(&self, list: &mut TopicPartitionList) -> Result<(), String> {
        for (partition, next) in &self.next {
            list.add_partition_offset(&self.topic, *partition, Offset::Offset(*next)).map_err(text(&self.topic))?;
        }
        Ok(())
    }
}

/// Processes every `workers`-th partition. `in_place`: whether a store's values are replaced where they lie.
pub(crate) fn run(job: &Job, worker: usize, in_place: bool, counts: &Counts) -> Result<(), String> {
    let partitions: Vec<i32> = (0..job.partitions).filter(|partition| *partition as usize % job.workers == worker).collect();
    let consumer = consumer(job)?;
    let databases = Databases::open(job, &partitions, in_place)?;
    let sender = Sender::new(job, worker)?;
    let mut step = Step::new(job, &databases, &sender);
    if job.workload == Workload::W4 {
        load_table(&consumer, &partitions, &step)?;
    }
    let mut reading = Reading::new(job, &consumer, &partitions)?;
    consumer.assign(&reading.positions()?).map_err(text("assigning the input"))?;
    let mut queue = Queue::of(&consumer)?;
    let interval = Duration::from_millis(job.commit);
    let wait = if job.awaited > 0 { WAIT_LIVE } else { WAIT };
    let (mut committed, mut heard) = (Instant::now(), Instant::now());
    loop {
        let got = queue.take(wait, |record| {
            if reading.is_input(record) {
                counts.input.fetch_add(1, Ordering::Relaxed);
                return step.input(record);
            }
            counts.rekeyed.fetch_add(1, Ordering::Relaxed);
            step.rekeyed(record)
        })?;
        if got > 0 {
            heard = Instant::now();
        } else if heard.elapsed() > SILENCE {
            return Err(format!("nothing arrived for {SILENCE:?}, and the input is not at its end"));
        }
        let is_done = reading.is_done(counts);
        if is_done || committed.elapsed() >= interval {
            sender.commit(&reading.positions()?, &consumer, is_done)?;
            committed = Instant::now();
        }
        if is_done {
            return Ok(());
        }
    }
}

/// What a worker reads.
struct Reading<'a> {
    input: Source,
    /// The input's name, and how many records it will have in all its partitions where that is not known from its ends.
    name: &'a str,
    awaited: u64,
    /// Its partitions of the repartition topic, which has no end, and how many records there will be in all of them.
    rekeyed: Option<(Source, u64)>,
    /// How librdkafka calls the input, once that is known.
    handle: Option<usize>,
}

impl<'a> Reading<'a> {
    fn new(job: &'a Job, consumer: &BaseConsumer, partitions: &[i32]) -> Result<Reading<'a>, String> {
        let input = Source::of(consumer, &job.input, partitions)?;
        let mut rekeyed = None;
        if job.workload == Workload::W7 {
            let mut source = Source::of(consumer, &format!("{}-{REPARTITION}-repartition", job.app), partitions)?;
            source.ends.clear();
            let all: Vec<i32> = (0..job.partitions).collect();
            let whole = Source::of(consumer, &job.input, &all)?;
            let records = whole.ends.values().sum::<i64>() - whole.next.values().sum::<i64>();
            rekeyed = Some((source, records.cast_unsigned()));
        }
        Ok(Reading { input, name: &job.input, awaited: job.awaited, rekeyed, handle: None })
    }

    /// Moves the position past the record. Whether it is of the input.
    fn is_input(&mut self, record: &Received<'_>) -> bool {
        if let Some((source, _)) = &mut self.rekeyed
            && self.handle != Some(record.handle())
        {
            if !record.is_of(self.name) {
                source.passed(record);
                return false;
            }
            self.handle = Some(record.handle());
        }
        self.input.passed(record);
        true
    }

    fn is_done(&self, counts: &Counts) -> bool {
        let is_counted = |(_, records): &(Source, u64)| counts.rekeyed.load(Ordering::Relaxed) >= *records;
        let is_read =
            if self.awaited > 0 { counts.input.load(Ordering::Relaxed) >= self.awaited } else { self.input.is_at_end() };
        is_read && self.rekeyed.as_ref().is_none_or(is_counted)
    }

    fn positions(&self) -> Result<TopicPartitionList, String> {
        let mut list = TopicPartitionList::new();
        self.input.add_to(&mut list)?;
        self.rekeyed.iter().try_for_each(|(source, _)| source.add_to(&mut list))?;
        Ok(list)
    }
}

/// Reads the table before anything else.
fn load_table(consumer: &BaseConsumer, partitions: &[i32], step: &Step<'_>) -> Result<(), String> {
    let mut table = Source::of(consumer, TABLE, partitions)?;
    let mut list = TopicPartitionList::new();
    table.add_to(&mut list)?;
    consumer.assign(&list).map_err(text("assigning the table"))?;
    let mut queue = Queue::of(consumer)?;
    let began = Instant::now();
    while !table.is_at_end() {
        queue.take(WAIT, |record| {
            table.passed(record);
            step.row(record)
        })?;
        if began.elapsed() > 10 * SILENCE {
            return Err("the table could not be read".to_owned());
        }
    }
    Ok(())
}
