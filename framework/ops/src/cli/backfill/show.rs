//! A plan as people read it.

use std::collections::BTreeMap;
use std::fmt::Write;

use headwater_core::bounded::{Finish, Mode, RunRecord, SinkStanding, SinkUse};
use headwater_runtime::backfill::Draft;

use crate::cli::times::show;

/// Input records per second and worker that an estimate of time goes by. Deliberately low: what user code costs is not known.
const ASSUMED_RATE: u64 = 50_000;

/// The plan's lines.
pub(super) fn plan(record: &RunRecord, warnings: &[String], workers: usize, max_rate: Option<u64>) -> String {
    let mut text = format!("backfill {} ({})\n", record.id, record.mode.as_str());
    let mut topics: BTreeMap<&str, (u64, usize)> = BTreeMap::new();
    for span in &record.spans {
        let (offsets, partitions) = topics.entry(&span.topic).or_default();
        *offsets += u64::try_from(span.span.end - span.span.start).unwrap_or(0);
        *partitions += usize::from(!span.span.is_empty());
    }
    let _ = writeln!(text, "  range     {} to {}", show(record.says.from), show(record.says.to));
    if record.sees != record.says && !record.then_live {
        let _ = writeln!(text, "  state     from records of {} to {}", show(record.sees.from), show(record.sees.to));
    }
    if let Some((_, until)) = record.history() {
        let _ = writeln!(text, "  files     until {}; from then on the topics they stand for", show(until));
    }
    if let Some(from) = &record.state_from {
        let _ = writeln!(text, "  state     that of backfill {from}, from where it ended");
    }
    for (input, topic) in &record.staged {
        let _ = writeln!(text, "  file      {input}: its rows are in {topic}");
    }
    for (topic, (offsets, partitions)) in topics {
        let _ = writeln!(text, "  read      {topic}: {offsets} offsets in {partitions} partitions");
    }
    for (topic, to) in &record.outputs {
        let _ = match (to, record.mode) {
            (None, _) => writeln!(text, "  silent    {topic}"),
            (Some(to), Mode::Diff) if to.ends_with("-diff") => {
                writeln!(text, "  compare   {}, computed again into {to}", record.live_output(topic))
            }
            (Some(to), _) => writeln!(text, "  write     {topic} into {to}"),
        };
    }
    for (sink, used) in &record.sinks {
        let _ = writeln!(text, "  {}", sink_line(sink, *used, record.then_live));
    }
    if record.then_live {
        let how = if record.asked.contains_key("--same-output") { "in silence until then" } else { "heard from the beginning" };
        let _ = writeln!(text, "  then live follows the generation in force and takes over from it, {how}");
    }
    if record.finish == Finish::CloseWindows {
        let _ = writeln!(text, "  at the end all windows are closed");
    }
    let rate = max_rate.unwrap_or(ASSUMED_RATE * workers as u64).max(1);
    let seconds = record.offsets().div_ceil(rate);
    let _ = writeln!(text, "  estimate  {} records at most, {} at {rate} records/s", record.offsets(), duration(seconds));
    for warning in warnings {
        let _ = writeln!(text, "  warning   {warning}");
    }
    text
}

/// The same as data.
pub(super) fn plan_json(draft: &Draft) -> serde_json::Value {
    serde_json::json!({"plan": draft.record, "warnings": draft.warnings})
}

fn sink_line(sink: &str, SinkUse { replay, standing }: SinkUse, then_live: bool) -> String {
    let until = if then_live { " until it has taken over" } else { "" };
    match standing {
        SinkStanding::Connected => format!("deliver   to sink {sink} ({replay})"),
        SinkStanding::Allowed => format!("deliver   to sink {sink} ({replay}), because --allow-sinks names it"),
        SinkStanding::Withheld if then_live => format!("withhold  what is for sink {sink} ({replay}){until}"),
        SinkStanding::Withheld => format!("withhold  what is for sink {sink} ({replay}); --allow-sinks {sink} would deliver it"),
        SinkStanding::Silent => format!("silent    sink {sink} ({replay}){until}"),
    }
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{:.1} h", seconds as f64 / 3600.0),
    }
}

/// Bytes as people can read them: text if it is that, otherwise hexadecimal. A windowed key ends in its window's start, which is no text.
pub(super) fn bytes(bytes: &[u8]) -> String {
    let is_plain = |text: &str| !text.chars().any(|letter| letter.is_control());
    match std::str::from_utf8(bytes) {
        Ok(text) if is_plain(text) => text.to_owned(),
        _ => match bytes.split_last_chunk::<8>().map(|(key, start)| (std::str::from_utf8(key), i64::from_be_bytes(*start))) {
            Some((Ok(key), start)) if is_plain(key) && (0..=253_402_300_799_999).contains(&start) => {
                format!("{key} @ {}", show(headwater_core::Timestamp::from_millis(start)))
            }
            _ => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_shown_as_what_they_are() {
        assert_eq!(bytes(b"EWR"), "EWR");
        let windowed = [b"EWR".as_slice(), &1_372_593_600_000_i64.to_be_bytes()].concat();
        assert_eq!(bytes(&windowed), "EWR @ 2013-06-30T12:00:00Z");
        assert_eq!(bytes(&[0, 159]), "009f");
        assert_eq!((duration(119), duration(121), duration(7200)), ("119 s".into(), "3 min".into(), "2.0 h".into()));
    }
}
