use std::time::{Duration, Instant};

use headwater_benches::Expected;
use headwater_core::Record;
use headwater_core::port::LogError;

use crate::stage::Stage;

/// Without a record or a position for this long there is something in the way, such as a transaction that was left open.
const SILENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(200);
const RECORDS: usize = 20_000;

/// When results were appended to their topic, in milliseconds since 1970 by the broker's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) first: i64,
    pub(crate) last: i64,
}

/// Reads all committed results, compares them, and answers when they came; what is wrong is an error.
pub(crate) fn check(stage: &Stage, topic: &str, expected: &mut Expected) -> Result<Span, String> {
    check_each(stage, topic, expected, |_, _| {})
}

/// The same, showing each result with its partition's number.
pub(crate) fn check_each(
    stage: &Stage,
    topic: &str,
    expected: &mut Expected,
    mut look: impl FnMut(i32, &Record),
) -> Result<Span, String> {
    let mut span = Span { first: i64::MAX, last: i64::MIN };
    let see = |partition: i32, record: &Record| {
        let at = record.timestamp.as_millis();
        (span.first, span.last) = (span.first.min(at), span.last.max(at));
        expected.see(record.key.as_deref().unwrap_or_default(), record.value.as_deref().unwrap_or_default());
        look(partition, record);
    };
    read(stage, topic, see).map_err(|error| format!("reading {topic}: {error}"))?;
    expected.verdict()?;
    Ok(span)
}

fn read(stage: &Stage, topic: &str, mut see: impl FnMut(i32, &Record)) -> Result<(), LogError> {
    let partitions = stage.partitions_of(topic);
    let mut reader = stage.reader("macro-check")?;
    let ends = reader.ends(&partitions)?;
    let mut left = Vec::new();
    let mut from = Vec::new();
    for (partition, ends) in partitions.into_iter().zip(ends) {
        from.push((partition.clone(), ends.start));
        if ends.start < ends.end {
            left.push((partition, ends.end));
        }
    }
    reader.assign(&from)?;
    let mut heard = Instant::now();
    while !left.is_empty() {
        for batch in reader.poll(RECORDS, POLL)? {
            heard = Instant::now();
            batch.records.iter().for_each(|record| see(batch.partition.partition, record));
            left.retain(|(partition, end)| *partition != batch.partition || batch.position < *end);
        }
        if heard.elapsed() > SILENCE {
            return Err(LogError::Fatal(format!("no committed record for {SILENCE:?}, and {left:?} are not reached")));
        }
    }
    Ok(())
}
