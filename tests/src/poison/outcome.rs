//! What must be in the outputs and the dead-letter topic, and what is.

use std::collections::BTreeMap;
use std::time::Duration;

use headwater::port::{Log, LogError, ReaderConfig};
use headwater::{Record, TopicPartition, dead_letter};

use super::{GROUPS, Kind, Sent, TEXTS, TOTALS, Total};
use crate::wait::until;

const PATIENCE: Duration = Duration::from_secs(60);

/// What is compared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The last total of each customer, and how many came.
    pub totals: BTreeMap<String, (Total, u64)>,
    /// The same of each group.
    pub groups: BTreeMap<String, (Total, u64)>,
    /// What is in the topic of texts: nothing can be.
    pub texts: usize,
    /// By the number of the record that failed: topic and stage as its letter says, and its value. As many as there are.
    pub letters: Vec<(u64, String, String, Vec<u8>)>,
}

/// A plain fold over what was written.
pub fn expected(sent: &[Sent]) -> Outcome {
    let mut outcome = Outcome::default();
    for Sent { number, order, key, value } in sent {
        let letter = match order.kind {
            Kind::Fine | Kind::PanicBehind => None,
            Kind::Undecodable | Kind::Future => Some("decode"),
            Kind::Panic => Some("process"),
            Kind::Large | Kind::Refused => Some("produce"),
        };
        if let Some(stage) = letter {
            outcome.letters.push((*number, "orders".to_owned(), stage.to_owned(), value.clone()));
            continue;
        }
        add(outcome.totals.entry(key.clone()).or_default(), order.amount);
        if order.kind == Kind::PanicBehind {
            // A number does not travel through the rekey, so the letter is known by its value alone.
            outcome.letters.push((0, "poison-by-group-repartition".to_owned(), "process".to_owned(), value.clone()));
        } else {
            add(outcome.groups.entry(order.group.clone()).or_default(), order.amount);
        }
    }
    outcome.letters.sort();
    outcome
}

fn add((total, count): &mut (Total, u64), amount: u64) {
    *total = Total { seq: total.seq + 1, sum: total.sum + amount };
    *count += 1;
}

/// What a read-committed reader finds. Panics where a `seq` is missing, repeated or out of order: an effect was lost or happened twice.
///
/// # Errors
/// A topic cannot be read.
pub fn seen(log: &dyn Log) -> Result<Outcome, LogError> {
    let mut outcome = Outcome { texts: read(log, TEXTS)?.len(), ..Outcome::default() };
    for (topic, totals) in [(TOTALS, &mut outcome.totals), (GROUPS, &mut outcome.groups)] {
        for record in read(log, topic)? {
            let total: Total = serde_json::from_slice(record.value.as_deref().unwrap_or_default()).unwrap_or_default();
            let (last, count) = totals.entry(text(record.key.as_deref())).or_default();
            assert_eq!(total.seq, last.seq + 1, "{topic}: {record:?} after {last:?}");
            (*last, *count) = (total, *count + 1);
        }
    }
    for letter in read(log, "poison-dead-letters")? {
        let header = |name: &str| letter.headers.iter().rfind(|header| &*header.key == name).map(|h| text(h.value.as_deref()));
        let of = |name| header(name).unwrap_or_else(|| panic!("a letter without {name}: {letter:?}"));
        assert_eq!(of(dead_letter::APP), "poison");
        assert!(
            !of(dead_letter::MESSAGE).is_empty() && !of(dead_letter::TASK).is_empty() && !of(dead_letter::OPERATOR).is_empty()
        );
        let place = [dead_letter::PARTITION, dead_letter::OFFSET, dead_letter::TIMESTAMP];
        assert!(place.iter().all(|name| of(name).parse::<i64>().is_ok()), "{letter:?}");
        let number = header("number").and_then(|number| number.parse().ok()).unwrap_or(0);
        let value = letter.value.as_deref().unwrap_or_default().to_vec();
        outcome.letters.push((number, of(dead_letter::TOPIC), of(dead_letter::STAGE), value));
    }
    outcome.letters.sort();
    Ok(outcome)
}

/// Everything in a topic, read committed: partition by partition.
fn read(log: &dyn Log, topic: &str) -> Result<Vec<Record>, LogError> {
    let found = log.admin()?.describe(&[topic.to_owned()])?;
    let partitions = found.get(topic).ok_or_else(|| LogError::UnknownTopic { topic: topic.to_owned() })?.partitions;
    let mut records = Vec::new();
    for partition in (0..partitions).map(|partition| TopicPartition::new(topic, partition)) {
        let mut reader = log.reader(&ReaderConfig { group: "outcome".into(), read_uncommitted: false })?;
        let end = reader.ends(std::slice::from_ref(&partition))?[0].end;
        reader.assign(&[(partition.clone(), 0)])?;
        until(&format!("the end of {partition}"), PATIENCE, || {
            let batches = reader.poll(10_000, Duration::from_millis(50)).unwrap_or_default();
            let position = batches.last().map(|batch| batch.position);
            records.extend(batches.into_iter().flat_map(|batch| batch.records));
            (end == 0 || position >= Some(end)).then_some(())
        });
    }
    Ok(records)
}

fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}
