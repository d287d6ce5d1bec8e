use std::collections::{BTreeMap, BTreeSet};

use headwater_core::bounded::Span;
use headwater_core::port::{GroupMetadata, Log, Producer, ProducerConfig};
use headwater_core::{Outgoing, Timestamp, TopicName, TopicPartition};
use headwater_testkit::{MemoryLog, Tombstones};

use super::Terms;
use crate::cases::{Case, Item};
use crate::dice::Dice;

/// The input of a bounded run as it is before it begins, and what is read of it.
pub struct Past {
    /// What is visible within the spans, in the order in which it was written.
    pub items: Vec<(i64, Item)>,
    /// Of every partition that is read.
    pub spans: BTreeMap<TopicPartition, Span>,
    /// Partitions of streams of which nothing is read.
    pub unread: BTreeSet<(String, i32)>,
    /// Whether compaction has removed something.
    pub has_gaps: bool,
}

/// Who writes the input.
struct Writer<'a> {
    log: &'a MemoryLog,
    written: Vec<(i64, Item)>,
}

impl Writer<'_> {
    fn write(&mut self, items: &[Item], terms: Terms, dice: &mut Dice) {
        let half = items.len() / 2;
        let left_open = terms.left_open.then(|| half + dice.below(half as u64 + 1) as usize);
        let mut at = 0;
        while at < items.len() {
            if left_open.is_some_and(|from| at >= from) {
                self.leave_open(&items[at]);
                return self.plain(&items[at..]);
            }
            if !dice.percent(terms.transactional) {
                self.plain(&items[at..=at]);
                at += 1;
                continue;
            }
            let until = (at + dice.between(1, 5) as usize).min(items.len());
            self.transaction(&items[at..until], dice.percent(60));
            at = until;
        }
    }

    fn plain(&mut self, items: &[Item]) {
        for item in items {
            self.written.push((item.append(self.log), item.clone()));
        }
    }

    fn producer(&self, id: &str) -> Box<dyn Producer> {
        let config = ProducerConfig { transactional_id: Some(id.to_owned()) };
        let mut producer = self.log.producer(&config).expect("the log in memory always has a producer");
        producer.init().and_then(|()| producer.begin()).expect("nobody else has this id");
        producer
    }

    fn send(&self, producer: &mut dyn Producer, item: &Item) -> i64 {
        let topic: TopicName = item.topic.into();
        let record = Outgoing {
            topic: &topic,
            partition: item.partition,
            key: item.key.as_deref(),
            value: item.value.as_deref(),
            timestamp: Timestamp::from_millis(item.time),
            headers: &[],
            track_offset: false,
        };
        producer.send(record).expect("the topic is there");
        self.log.high_watermark(item.topic, item.partition) - 1
    }

    fn transaction(&mut self, items: &[Item], commits: bool) {
        let mut producer = self.producer("writer");
        let sent: Vec<(i64, Item)> = items.iter().map(|item| (self.send(producer.as_mut(), item), item.clone())).collect();
        let ended = if commits { producer.commit(&[], &GroupMetadata::none("writers")) } else { producer.abort() };
        ended.expect("a transaction in memory can be ended");
        if commits {
            self.written.extend(sent);
        }
    }

    /// Its writer is gone: the brokers will abort it in time.
    fn leave_open(&self, item: &Item) {
        let mut producer = self.producer("gone");
        self.send(producer.as_mut(), item);
    }
}

impl Past {
    /// Writes the input and decides what is read of it. The tables have been filled already.
    pub fn write(case: &dyn Case, terms: Terms, dice: &mut Dice, log: &MemoryLog, items: &[Item], partitions: i32) -> Past {
        let all = case.inputs().iter().flat_map(|topic| (0..partitions).map(move |partition| (*topic, partition)));
        let filled: BTreeMap<(&str, i32), i64> = all.map(|place| (place, log.high_watermark(place.0, place.1))).collect();
        let mut writer = Writer { log, written: Vec::new() };
        writer.write(items, terms, dice);
        let mut written = writer.written;
        let before = written.len();
        if terms.compacted {
            case.streams().iter().for_each(|topic| drop(log.compact(topic, Tombstones::Keep)));
            let kept: BTreeSet<(&str, i32, i64)> = filled
                .keys()
                .flat_map(|(topic, partition)| {
                    log.read_all(topic, *partition, false).into_iter().map(move |record| (*topic, *partition, record.offset))
                })
                .collect();
            written.retain(|(offset, item)| kept.contains(&(item.topic, item.partition, *offset)));
        }
        let (mut spans, mut unread) = (BTreeMap::new(), BTreeSet::new());
        for ((topic, partition), filled) in &filled {
            let end = log.high_watermark(topic, *partition);
            let is_stream = case.streams().contains(topic);
            let span = if is_stream { draw(terms, dice, end) } else { Some(Span { start: 0, end: dice.between(*filled, end) }) };
            if is_stream && span.is_none_or(|span| span.is_empty()) {
                unread.insert(((*topic).to_owned(), *partition));
            }
            spans.extend(span.map(|span| (TopicPartition::new(*topic, *partition), span)));
        }
        let has_gaps = written.len() < before;
        written.retain(|(offset, item)| {
            let span = spans.get(&TopicPartition::new(item.topic, item.partition));
            span.is_some_and(|span| (span.start..span.end).contains(offset))
        });
        Past { items: written, spans, unread, has_gaps }
    }

    /// The spans of streams, which are what retention may overtake.
    pub fn streams(&self, case: &dyn Case) -> Vec<(TopicPartition, Span)> {
        let is_stream = |partition: &TopicPartition| case.streams().contains(&&*partition.topic);
        self.spans
            .iter()
            .filter(|(partition, _)| is_stream(partition))
            .map(|(partition, span)| (partition.clone(), *span))
            .collect()
    }
}

/// What is read of a partition that ends here; none if it is left out.
fn draw(terms: Terms, dice: &mut Dice, end: i64) -> Option<Span> {
    let start = dice.between(0, end);
    let part = Span { start, end: dice.between(start, end) };
    let everything = Span { start: 0, end };
    match dice.below(100) {
        _ if terms.parity => Some(everything),
        0..50 => Some(everything),
        50..90 => Some(part),
        90..95 => Some(Span { start, end: start }),
        _ => None,
    }
}
