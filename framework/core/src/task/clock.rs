//! Event time of one input partition, and how it is kept in the committed offset's metadata.

use std::time::Duration;

use super::header::TimeHeader;
use crate::time::Timestamp;
use crate::topology::SourceRole;

/// Brokers take 4096 bytes of metadata by default (`offset.metadata.max.bytes`).
const LONGEST_METADATA: usize = 4000;

/// What is known of event time at one place: no record that keeps to the bounds is earlier than the watermark. While idle, it does
/// not hold others back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) watermark: Timestamp,
    pub(crate) idle: bool,
}

impl Reading {
    /// The least of those that are not idle. When all are idle, the greatest: the others were not waited for either (as in
    /// Flink's `StatusWatermarkValve`).
    pub(crate) fn combine(readings: impl Iterator<Item = Reading> + Clone) -> Option<Reading> {
        let active = readings.clone().filter(|reading| !reading.idle).min_by_key(|reading| reading.watermark);
        active.or_else(|| readings.max_by_key(|reading| reading.watermark))
    }
}

/// The event time of one input partition. It never goes back, not over a restart either: it is committed with the offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// An input: its newest timestamp, less the out-of-orderness bound.
    Source { newest: Timestamp, bound: Duration, idle: bool },
    /// A repartition topic: the least of what its upstream tasks promised.
    Repartition { lanes: Vec<Reading> },
    /// A table does not take part in event time.
    Table,
}

impl Clock {
    pub(crate) fn new(role: SourceRole, bound: Duration, lanes: i32) -> Clock {
        match role {
            SourceRole::Stream => Clock::Source { newest: Timestamp::MIN, bound, idle: false },
            SourceRole::Repartition => {
                let lane = Reading { watermark: Timestamp::MIN, idle: false };
                Clock::Repartition { lanes: vec![lane; usize::try_from(lanes).unwrap_or(0)] }
            }
            SourceRole::Table => Clock::Table,
        }
    }

    /// What is known of event time here; none for a table.
    pub(crate) fn reading(&self) -> Option<Reading> {
        match self {
            Clock::Table => None,
            Clock::Source { newest, bound, idle } => Some(Reading { watermark: *newest - *bound, idle: *idle }),
            Clock::Repartition { lanes } => Reading::combine(lanes.iter().copied()),
        }
    }

    /// The watermark a record carries into the task: that of its source, this record included.
    pub(crate) fn carried(&self, timestamp: Timestamp, header: Option<TimeHeader>) -> Timestamp {
        match (self, header) {
            (_, Some(header)) => header.carried,
            (Clock::Source { newest, bound, .. }, None) => timestamp.max(*newest) - *bound,
            _ => Timestamp::MIN,
        }
    }

    /// A record (or marker) has been dealt with.
    pub(crate) fn observe(&mut self, timestamp: Timestamp, header: Option<TimeHeader>) {
        match self {
            Clock::Source { newest, idle, .. } => {
                *newest = timestamp.max(*newest);
                *idle = false;
            }
            Clock::Repartition { lanes } => {
                let Some(header) = header else { return };
                let Some(lane) = usize::try_from(header.lane).ok().and_then(|lane| lanes.get_mut(lane)) else { return };
                lane.watermark = header.promise.max(lane.watermark);
                lane.idle = header.idle;
            }
            Clock::Table => {}
        }
    }

    /// Declares a source idle; true if that is news. Only the task that reads a source can know it, so repartition inputs
    /// are told by markers.
    pub(crate) fn set_idle(&mut self) -> bool {
        match self {
            Clock::Source { idle, .. } => !std::mem::replace(idle, true),
            _ => false,
        }
    }

    /// As text for the committed offset's metadata: `1s:<newest>[!]` or `1r:<watermark>[!],...`, times in base 36, `-` for
    /// unknown, `!` for idle; after the first lane only the difference to the one before. About 5 bytes a lane; where that would be more
    /// than brokers take, `1m:<watermark>`: the time reached is kept, and what single lanes are ahead of it is learnt again.
    pub(crate) fn encode(&self) -> String {
        let text = self.encode_whole();
        match self.reading() {
            Some(reading) if text.len() > LONGEST_METADATA => format!("1m:{}", time_text(reading.watermark, 0)),
            _ => text,
        }
    }

    fn encode_whole(&self) -> String {
        let mark = |idle: bool| if idle { "!" } else { "" };
        match self {
            Clock::Table => String::new(),
            Clock::Source { newest, idle, .. } => format!("1s:{}{}", time_text(*newest, 0), mark(*idle)),
            Clock::Repartition { lanes } => {
                let mut before = 0;
                let mut text = String::from("1r:");
                for (number, lane) in lanes.iter().enumerate() {
                    if number > 0 {
                        text.push(',');
                    }
                    text.push_str(&time_text(lane.watermark, before));
                    text.push_str(mark(lane.idle));
                    if lane.watermark != Timestamp::MIN {
                        before = lane.watermark.as_millis();
                    }
                }
                text
            }
        }
    }

    /// Takes up what a predecessor committed; text of another form is ignored, as another tool may have written it.
    pub(crate) fn adopt(&mut self, metadata: &str) {
        match self {
            Clock::Table => {}
            Clock::Source { newest, idle, .. } => {
                if let Some((time, was_idle)) = metadata.strip_prefix("1s:").and_then(|text| parse_time(text, 0)) {
                    *newest = time;
                    *idle = was_idle;
                }
            }
            Clock::Repartition { lanes } => {
                if let Some((watermark, _)) = metadata.strip_prefix("1m:").and_then(|text| parse_time(text, 0)) {
                    lanes.fill(Reading { watermark, idle: false });
                }
                let Some(text) = metadata.strip_prefix("1r:") else { return };
                let mut before = 0;
                for (lane, text) in lanes.iter_mut().zip(text.split(',')) {
                    let Some((watermark, idle)) = parse_time(text, before) else { return };
                    *lane = Reading { watermark, idle };
                    if watermark != Timestamp::MIN {
                        before = watermark.as_millis();
                    }
                }
            }
        }
    }
}

fn time_text(time: Timestamp, before: i64) -> String {
    if time == Timestamp::MIN {
        return String::from("-");
    }
    let difference = i128::from(time.as_millis()) - i128::from(before);
    let mut digits = Vec::new();
    let mut rest = difference.unsigned_abs();
    loop {
        digits.push(char::from_digit((rest % 36) as u32, 36).unwrap_or('0'));
        rest /= 36;
        if rest == 0 {
            break;
        }
    }
    let sign = if difference < 0 { "~" } else { "" };
    sign.chars().chain(digits.into_iter().rev()).collect()
}

fn parse_time(text: &str, before: i64) -> Option<(Timestamp, bool)> {
    let (text, idle) = text.strip_suffix('!').map_or((text, false), |text| (text, true));
    if text == "-" {
        return Some((Timestamp::MIN, idle));
    }
    let (digits, negative) = text.strip_prefix('~').map_or((text, false), |digits| (digits, true));
    let size = i128::from_str_radix(digits, 36).ok()?;
    let millis = i128::from(before) + if negative { -size } else { size };
    Some((Timestamp::from_millis(i64::try_from(millis).ok()?), idle))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn survives_the_metadata(times in prop::collection::vec((prop::option::of(any::<i64>()), any::<bool>()), 1..20)) {
            let lanes = times.iter().map(|(time, idle)| Reading {
                watermark: time.map_or(Timestamp::MIN, Timestamp::from_millis),
                idle: *idle,
            }).collect::<Vec<_>>();
            let clock = Clock::Repartition { lanes };
            let mut adopted = Clock::new(SourceRole::Repartition, Duration::ZERO, times.len() as i32);
            adopted.adopt(&clock.encode());
            prop_assert_eq!(adopted, clock);
        }
    }

    #[test]
    fn a_lane_that_is_silent_holds_time_back_and_an_idle_one_does_not() {
        let mut clock = Clock::new(SourceRole::Repartition, Duration::ZERO, 2);
        let header = |lane, promise, idle| {
            Some(TimeHeader { lane, promise: Timestamp::from_millis(promise), carried: Timestamp::MIN, idle })
        };
        clock.observe(Timestamp::MIN, header(0, 50, false));
        assert_eq!(clock.reading().unwrap().watermark, Timestamp::MIN);
        clock.observe(Timestamp::MIN, header(1, 70, false));
        assert_eq!(clock.reading().unwrap().watermark, Timestamp::from_millis(50));
        clock.observe(Timestamp::MIN, header(0, 40, true));
        assert_eq!(clock.reading().unwrap().watermark, Timestamp::from_millis(70), "lane 0 is idle");
        clock.observe(Timestamp::MIN, header(0, 40, false));
        assert_eq!(clock.reading().unwrap().watermark, Timestamp::from_millis(50), "and a promise is never taken back");
    }

    #[test]
    fn very_many_lanes_keep_the_time_they_reached_together() {
        let reading = |millis: i64| Reading { watermark: Timestamp::from_millis(millis), idle: false };
        let clock = Clock::Repartition { lanes: (0..2000).map(|lane| reading(1_357_000_000_000 + lane * 7919 % 86_400_000)).collect() };
        let text = clock.encode();
        assert!(text.len() < 4096, "{} bytes", text.len());
        let mut adopted = Clock::new(SourceRole::Repartition, Duration::ZERO, 2000);
        adopted.adopt(&text);
        assert_eq!(adopted.reading(), clock.reading());
    }

    #[test]
    fn text_of_others_is_ignored() {
        let mut clock = Clock::new(SourceRole::Stream, Duration::ZERO, 0);
        clock.adopt("AgAAAX");
        assert_eq!(clock.reading().unwrap().watermark, Timestamp::MIN);
    }
}
