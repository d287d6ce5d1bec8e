//! What the outputs must be, by a plain fold over the input, and what they are.

use std::collections::BTreeMap;

use headwater_core::partition_for;

use crate::topology::{BOUND, DELAY, Event, GRACE, OUTPUTS, WINDOW, name_of};
use crate::world::{FLUSH, World, flush};

/// Per output: the last value per key of a fold, every record of the others; all as text.
pub type Outputs = BTreeMap<&'static str, Vec<String>>;

/// Whether every record of an output counts, or only the newest per key.
fn is_multiset(output: &str) -> bool {
    matches!(output, "joined" | "gaps")
}

pub fn seen(world: &World) -> Outputs {
    let of = |output: &'static str| {
        let (mut all, mut newest) = (Vec::new(), BTreeMap::new());
        for partition in 0..world.partitions() {
            for record in world.log().read_all(output, partition, true) {
                let key = record.key.unwrap().to_vec();
                let value = String::from_utf8(record.value.unwrap().to_vec()).unwrap();
                all.push(show(&key, &value));
                newest.insert(key, value);
            }
        }
        let mut shown = if is_multiset(output) { all } else { newest.iter().map(|(key, value)| show(key, value)).collect() };
        shown.sort();
        (output, shown)
    };
    OUTPUTS.into_iter().map(of).collect()
}

fn show(key: &[u8], value: &str) -> String {
    format!("{} {value}", key.escape_ascii())
}

pub fn expected(partitions: i32, events: &[Event]) -> Outputs {
    let source = |event: &Event| partition_for(Some(event.key.as_bytes()), partitions, 0);
    let placed = events.iter().cloned().map(|event| (source(&event), event));
    let input: Vec<(i32, Event)> = placed.chain((0..partitions).map(|partition| (partition, flush(partition)))).collect();

    let mut newest: BTreeMap<i32, i64> = BTreeMap::new();
    let mut sums: BTreeMap<(&str, Vec<u8>), (u64, i64)> = BTreeMap::new();
    let (mut joined, mut classes) = (Vec::new(), BTreeMap::<i64, u64>::new());
    let mut times: BTreeMap<(String, i64), u64> = BTreeMap::new();
    for (partition, event) in &input {
        let newest = newest.entry(*partition).or_insert(i64::MIN);
        *newest = event.time.max(*newest);
        let watermark = *newest - BOUND;
        let mut add = |output, key: Vec<u8>| {
            let sum = sums.entry((output, key)).or_default();
            *sum = (sum.0 + 1, sum.1 + event.amount);
        };
        let start = event.time.div_euclid(WINDOW) * WINDOW;
        if watermark < start + WINDOW + GRACE {
            add("direct", [event.key.as_bytes(), &start.to_be_bytes()[..]].concat());
            add("hits", [event.group.as_bytes(), &start.to_be_bytes()[..]].concat());
        }
        add("totals", event.group.clone().into_bytes());
        if let Some(name) = name_of(&event.group).filter(|_| event.group != FLUSH) {
            joined.push(show(event.group.as_bytes(), &format!("[{name:?},{}]", event.amount)));
            *classes.entry(event.amount % 3).or_default() += 1;
        }
        if watermark <= event.time {
            *times.entry((event.group.clone(), event.time)).or_default() += 1;
        }
    }
    let gap = |((group, time), count): (&(String, i64), &u64)| {
        let followed: u64 = times.range((group.clone(), time + 1)..(group.clone(), time + DELAY)).map(|(_, count)| count).sum();
        show(group.as_bytes(), &format!("[{time},{count},{followed}]"))
    };
    let gaps = times.iter().filter(|((group, _), _)| group != FLUSH).map(gap).collect();

    let mut outputs: Outputs = OUTPUTS.into_iter().map(|output| (output, Vec::new())).collect();
    for ((output, key), (count, sum)) in &sums {
        outputs.entry(output).or_default().push(show(key, &format!("[{count},{sum}]")));
    }
    outputs.insert("joined", joined);
    outputs.insert("gaps", gaps);
    outputs.insert("classes", classes.iter().map(|(class, count)| show(&class.to_be_bytes(), &count.to_string())).collect());
    outputs.values_mut().for_each(|shown| shown.sort());
    outputs
}
