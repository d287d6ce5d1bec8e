use std::collections::BTreeMap;

use headwater_core::{At, partition_for};
use serde::{Deserialize, Serialize};

use super::{BOUND, Compare, Expected, FLUSH_TIME, GRACE, Item, WINDOW};
use crate::dice::Dice;

/// The group of the records that end the input.
pub const FLUSH: &str = "flush";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub id: u32,
    pub key: String,
    pub group: String,
    pub time: i64,
    pub amount: i64,
}

/// How many, their sum, and which: their numbers mixed together.
pub type Sum = (u64, i64, u64);

#[expect(clippy::unnecessary_wraps, reason = "a reducer's signature")]
pub fn add<K>(sum: &mut Sum, event: &Event, _at: &At<'_, K>) -> Option<Sum> {
    *sum = plus(*sum, event);
    Some(*sum)
}

fn plus((count, sum, ids): Sum, event: &Event) -> Sum {
    (count + 1, sum + event.amount, ids ^ event.mixed())
}

impl Event {
    /// Its number, spread over all bits, so that a set of them is told by their exclusive or.
    pub fn mixed(&self) -> u64 {
        (u64::from(self.id) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    pub fn item(self, topic: &'static str, partition: i32) -> Item {
        let value = serde_json::to_vec(&self).expect("an event can be written");
        Item {
            topic,
            partition,
            key: Some(self.key.clone().into_bytes()),
            value: Some(value),
            time: self.time,
            event: Some(self),
        }
    }
}

/// Events mostly within the out-of-orderness bound; some are late on purpose.
pub fn feed(dice: &mut Dice, topics: &[&'static str], partitions: i32) -> Vec<Item> {
    let mut newest = 20_000;
    let count = dice.between(1, 120) as u32;
    let items = (0..count).map(|id| {
        let time = (newest + dice.between(-14_000, 3_000)).max(0);
        newest = newest.max(time);
        let (key, group) = (format!("k{}", dice.below(5)), format!("g{}", dice.below(4)));
        let partition = partition_for(Some(key.as_bytes()), partitions, 0);
        let topic = dice.pick(topics);
        Event { id, key, group, time, amount: dice.between(1, 9) }.item(topic, partition)
    });
    items.collect()
}

/// Strews rows of the table among the events: the ones it has already, so that it is written and read on, and says the same.
pub fn with_rows(dice: &mut Dice, items: Vec<Item>, partitions: i32, row: impl Fn(u64) -> (String, Option<String>)) -> Vec<Item> {
    let mut strewn = Vec::new();
    for item in items {
        strewn.push(item);
        if dice.percent(25) {
            let (key, name) = row(dice.below(4));
            let partition = partition_for(Some(key.as_bytes()), partitions, 0);
            let value = name.map(|name| format!("{name:?}").into_bytes());
            strewn.push(Item { topic: "names", partition, key: Some(key.into_bytes()), value, time: 2, event: None });
        }
    }
    strewn
}

/// The records that end each partition of these topics.
pub fn flush(topics: &[&'static str], partitions: i32) -> Vec<Item> {
    let all = topics.iter().flat_map(|topic| (0..partitions).map(move |partition| (*topic, partition)));
    let item = |(topic, partition): (&'static str, i32)| {
        let event = Event { id: 1_000, key: format!("flush-{partition}"), group: FLUSH.into(), time: FLUSH_TIME, amount: 1 };
        event.item(topic, partition)
    };
    all.map(item).collect()
}

/// An event with the watermark it carries: that of its partition, itself included.
pub struct Seen<'a> {
    pub partition: i32,
    pub event: &'a Event,
    pub watermark: i64,
}

impl Seen<'_> {
    pub fn window(&self) -> i64 {
        self.event.time.div_euclid(WINDOW) * WINDOW
    }

    pub fn is_late(&self) -> bool {
        self.watermark >= self.window() + WINDOW + GRACE
    }
}

pub fn seen(items: &[Item]) -> Vec<Seen<'_>> {
    let mut newest: BTreeMap<(&str, i32), i64> = BTreeMap::new();
    let events = items.iter().filter_map(|item| Some((item, item.event.as_ref()?)));
    let seen = events.map(|(item, event)| {
        let newest = newest.entry((item.topic, item.partition)).or_insert(i64::MIN);
        *newest = event.time.max(*newest);
        Seen { partition: item.partition, event, watermark: *newest - BOUND }
    });
    seen.collect()
}

/// The key of a window in an output.
pub fn windowed(key: &[u8], start: i64) -> Vec<u8> {
    [key, &start.to_be_bytes()[..]].concat()
}

/// What a fold by these keys emits; events without one are not folded.
pub fn sums<'a>(
    output: &'static str,
    (compare, timed): (Compare, bool),
    seen: impl IntoIterator<Item = &'a Seen<'a>>,
    key: impl Fn(&Seen<'_>) -> Option<Vec<u8>>,
) -> Expected {
    let mut folded: BTreeMap<Vec<u8>, Sum> = BTreeMap::new();
    let mut records = Vec::new();
    for one in seen {
        let Some(key) = key(one) else { continue };
        let sum = folded.entry(key.clone()).or_default();
        *sum = plus(*sum, one.event);
        records.push((key, format!("[{},{},{}]", sum.0, sum.1, sum.2)));
    }
    Expected { output, compare, timed, records }
}
