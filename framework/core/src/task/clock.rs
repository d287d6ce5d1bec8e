//! Event time of one input partition, and how it is kept in the committed offset's metadata.

use std::time::Duration;

use super::ended::Ended;
use super::header::TimeHeader;
use crate::time::Timestamp;
use crate::topology::SourceRole;

/// Brokers take 4096 bytes of metadata by default (`offset.metadata.max.bytes`).
const LONGEST_METADATA: usize = 3400;

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

/// The metadata of a position in an input before which records of up to `time` have been.
pub(crate) fn metadata_at(time: Timestamp) -> String {
    Clock::Source { newest: time, bound: Duration::ZERO, idle: false }.encode(Timestamp::MIN)
}

/// The same time at a position from which another run goes on: for that one nothing has ended, and nothing is idle.
pub(crate) fn resumed(metadata: &str) -> String {
    let text = metadata.split_once('$').map_or(metadata, |(time, _)| time).replace('!', "");
    let parts = text.strip_prefix("1m:").and_then(|rest| rest.split_once(':')).and_then(|(time, rest)| {
        let (idle, task) = rest.split_once('@')?;
        Some(format!("1m:{time}:{}@{task}", "0".repeat(idle.len())))
    });
    parts.unwrap_or(text)
}

/// The event time of one input partition. It never goes back, not over a restart either: it is committed with the offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// An input: its newest timestamp, less the out-of-orderness bound.
    Source { newest: Timestamp, bound: Duration, idle: bool },
    /// A repartition topic: the least of what its upstream tasks promised.
    Repartition { lanes: Vec<Reading>, ended: Ended },
    /// A table does not take part in event time.
    Table,
}

impl Clock {
    pub(crate) fn new(role: SourceRole, bound: Duration, lanes: i32) -> Clock {
        match role {
            SourceRole::Stream => Clock::Source { newest: Timestamp::MIN, bound, idle: false },
            SourceRole::Repartition => {
                let lane = Reading { watermark: Timestamp::MIN, idle: false };
                let lanes = vec![lane; usize::try_from(lanes).unwrap_or(0)];
                Clock::Repartition { ended: Ended::none(lanes.len()), lanes }
            }
            SourceRole::Table => Clock::Table,
        }
    }

    /// What is known of event time here; none for a table.
    pub(crate) fn reading(&self) -> Option<Reading> {
        match self {
            Clock::Table => None,
            Clock::Source { newest, bound, idle } => Some(Reading { watermark: *newest - *bound, idle: *idle }),
            Clock::Repartition { lanes, .. } => Reading::combine(lanes.iter().copied()),
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
            Clock::Repartition { lanes, ended } => {
                let Some(header) = header else { return };
                let number = usize::try_from(header.lane).unwrap_or(usize::MAX);
                let Some(lane) = lanes.get_mut(number) else { return };
                if header.ended {
                    ended.set(number);
                }
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

    /// Whether every upstream task of a repartition topic has said that nothing more comes.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self, Clock::Repartition { ended, .. } if ended.all())
    }

    /// As text for the committed offset's metadata: `1s:<newest>[!]@<task>` or `1r:<watermark>[!],...@<task>`, times in base 36, `-`
    /// for unknown, `!` for idle; after the first time only the difference to the one before. The last is the watermark of the whole
    /// task, which is ahead of its inputs' where one had been idle and came back. About 5 bytes a lane; where that would be more than
    /// brokers take, `1m:<watermark>:<idle>@<task>`: the time reached is kept, with four lanes' idleness to a digit, and what
    /// single lanes are ahead of it is learnt again. In a bounded run `$<ended>` follows, a digit for four lanes.
    pub(crate) fn encode(&self, task: Timestamp) -> String {
        let text = self.encode_time(task);
        match self {
            Clock::Repartition { ended, .. } => text + &ended.encode(),
            _ => text,
        }
    }

    fn encode_time(&self, task: Timestamp) -> String {
        let text = self.encode_whole(task);
        match (self, self.reading()) {
            (Clock::Repartition { lanes, .. }, Some(reading)) if text.len() > LONGEST_METADATA => {
                let (mut before, mut text) = (0, String::from("1m:"));
                push_time(&mut text, reading.watermark, &mut before);
                text.push(':');
                text.extend(lanes.chunks(4).map(idle_digit));
                text.push('@');
                push_time(&mut text, task, &mut before);
                text
            }
            _ => text,
        }
    }

    fn encode_whole(&self, task: Timestamp) -> String {
        let mark = |idle: bool| if idle { "!" } else { "" };
        let (mut before, mut text) = (0, String::new());
        match self {
            Clock::Table => return text,
            Clock::Source { newest, idle, .. } => {
                text.push_str("1s:");
                push_time(&mut text, *newest, &mut before);
                text.push_str(mark(*idle));
            }
            Clock::Repartition { lanes, .. } => {
                text.push_str("1r:");
                for (number, lane) in lanes.iter().enumerate() {
                    if number > 0 {
                        text.push(',');
                    }
                    push_time(&mut text, lane.watermark, &mut before);
                    text.push_str(mark(lane.idle));
                }
            }
        }
        text.push('@');
        push_time(&mut text, task, &mut before);
        text
    }

    /// Takes up what a predecessor committed and answers the watermark its task had reached; text of another form is ignored,
    /// as another tool may have written it.
    pub(crate) fn adopt(&mut self, metadata: &str) -> Timestamp {
        self.parse(metadata).unwrap_or(Timestamp::MIN)
    }

    /// Takes up what another task that has processed exactly as much has committed, and answers the watermark it had reached. Times never go
    /// back, not of a single lane either: that of each is the later one. Who is idle is as the other one says.
    pub(crate) fn take_up(&mut self, metadata: &str) -> Timestamp {
        let before = self.clone();
        let reached = self.adopt(metadata);
        match (self, before) {
            (Clock::Source { newest, .. }, Clock::Source { newest: before, .. }) => *newest = before.max(*newest),
            (Clock::Repartition { lanes, ended }, Clock::Repartition { lanes: before, ended: had_ended }) => {
                lanes.iter_mut().zip(before).for_each(|(lane, before)| lane.watermark = before.watermark.max(lane.watermark));
                *ended = had_ended;
            }
            _ => {}
        }
        reached
    }

    /// The watermark of a task that has committed this for the same partition: the least there is if it has not committed anything. None where
    /// it is of another form, or knows nothing of event time.
    pub(crate) fn reached(&self, metadata: &str) -> Option<Timestamp> {
        match self {
            Clock::Table => None,
            _ if metadata.is_empty() => Some(Timestamp::MIN),
            _ => self.clone().parse(metadata),
        }
    }

    fn parse(&mut self, metadata: &str) -> Option<Timestamp> {
        let (metadata, over) = metadata.split_once('$').unwrap_or((metadata, ""));
        let (times, task) = metadata.split_once('@')?;
        let mut before = 0;
        match self {
            Clock::Table => return None,
            Clock::Source { newest, idle, .. } => {
                (*newest, *idle) = parse_time(times.strip_prefix("1s:")?, &mut before)?;
            }
            Clock::Repartition { lanes, ended } => {
                *ended = Ended::decode(over, lanes.len());
                if let Some((time, idle)) = times.strip_prefix("1m:").and_then(|text| text.split_once(':')) {
                    let (watermark, _) = parse_time(time, &mut before)?;
                    let digits: Vec<u32> = idle.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
                    for (number, lane) in lanes.iter_mut().enumerate() {
                        let idle = digits.get(number / 4).is_some_and(|digit| digit >> (number % 4) & 1 == 1);
                        *lane = Reading { watermark, idle };
                    }
                } else {
                    // All of them, even if there are fewer lanes now: each is a difference to the one before.
                    for (number, text) in times.strip_prefix("1r:")?.split(',').enumerate() {
                        let (watermark, idle) = parse_time(text, &mut before)?;
                        if let Some(lane) = lanes.get_mut(number) {
                            *lane = Reading { watermark, idle };
                        }
                    }
                }
            }
        }
        parse_time(task, &mut before).map(|(time, _)| time)
    }
}

/// Which of up to four lanes are idle.
fn idle_digit(lanes: &[Reading]) -> char {
    let bits = lanes.iter().rev().fold(0, |bits, lane| bits << 1 | u32::from(lane.idle));
    char::from_digit(bits, 16).unwrap_or('0')
}

/// Appends a time as its difference to the one before.
fn push_time(text: &mut String, time: Timestamp, before: &mut i64) {
    text.push_str(&time_text(time, *before));
    if time != Timestamp::MIN {
        *before = time.as_millis();
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

fn parse_time(text: &str, before: &mut i64) -> Option<(Timestamp, bool)> {
    let (text, idle) = text.strip_suffix('!').map_or((text, false), |text| (text, true));
    if text == "-" {
        return Some((Timestamp::MIN, idle));
    }
    let (digits, negative) = text.strip_prefix('~').map_or((text, false), |digits| (digits, true));
    let size = i128::from_str_radix(digits, 36).ok()?;
    let millis = i128::from(*before) + if negative { -size } else { size };
    *before = i64::try_from(millis).ok()?;
    Some((Timestamp::from_millis(*before), idle))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn survives_the_metadata(
            times in prop::collection::vec((prop::option::of(any::<i64>()), any::<bool>()), 1..20),
            task: i64,
        ) {
            let lanes = times.iter().map(|(time, idle)| Reading {
                watermark: time.map_or(Timestamp::MIN, Timestamp::from_millis),
                idle: *idle,
            }).collect::<Vec<_>>();
            let mut ended = Ended::none(lanes.len());
            (0..lanes.len()).filter(|lane| lanes[*lane].idle).for_each(|lane| ended.set(lane));
            let (clock, task) = (Clock::Repartition { lanes, ended }, Timestamp::from_millis(task));
            let mut adopted = Clock::new(SourceRole::Repartition, Duration::ZERO, times.len() as i32);
            prop_assert_eq!(adopted.adopt(&clock.encode(task)), task);
            prop_assert_eq!(adopted, clock);
        }
    }

    #[test]
    fn a_lane_that_is_silent_holds_time_back_and_an_idle_one_does_not() {
        let mut clock = Clock::new(SourceRole::Repartition, Duration::ZERO, 2);
        let header = |lane, promise, idle| {
            Some(TimeHeader { lane, promise: Timestamp::from_millis(promise), carried: Timestamp::MIN, idle, ended: false })
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
        let reading = |lane: i64| {
            let millis = 1_357_000_000_000 + lane * 7919 % 86_400_000;
            Reading { watermark: Timestamp::from_millis(millis), idle: lane % 7 == 0 }
        };
        let mut ended = Ended::none(2001);
        (0..2001).for_each(|lane| ended.set(lane));
        let clock = Clock::Repartition { lanes: (0..2001).map(reading).collect(), ended };
        let text = clock.encode(Timestamp::from_millis(1_357_000_500_000));
        assert!(text.len() < 4096, "{} bytes", text.len());
        let mut adopted = Clock::new(SourceRole::Repartition, Duration::ZERO, 2001);
        assert_eq!(adopted.adopt(&text), Timestamp::from_millis(1_357_000_500_000));
        assert_eq!(adopted.reading(), clock.reading());
        assert!(adopted.has_ended());
        let Clock::Repartition { lanes, .. } = adopted else { panic!("it stays what it is") };
        assert!(lanes.iter().enumerate().all(|(number, lane)| lane.idle == (number % 7 == 0)), "nobody tells idle lanes again");
    }

    #[test]
    fn no_lane_goes_back_when_the_clock_of_another_is_taken_up() {
        let check = |own: &str, other: &str, expected: &str| {
            let clock = |text: &str| {
                let role = if text.starts_with("1s") { SourceRole::Stream } else { SourceRole::Repartition };
                let mut clock = Clock::new(role, Duration::ZERO, 3);
                clock.adopt(text);
                clock
            };
            let mut taken = clock(own);
            let reached = taken.take_up(other);
            assert_eq!(taken.encode(reached), expected, "{own} takes up {other}");
        };
        check("1r:5,1,1@5", "1r:3,6,1@4", "1r:5,4,1@4");
        check("1r:5,1,1@5", "1r:9,~3,1@9", "1r:9,~3,1@9");
        check("1r:5!,1,1@5", "1r:-!,4!,2@6", "1r:5!,1!,1@5");
        check("1s:5@5", "1s:3!@3", "1s:5!@1");
        check("1s:5!@5", "1s:8@7", "1s:8@7");
        check("1s:5!@5", "something else", "1s:5!@-");
    }

    #[test]
    fn a_clock_goes_on_with_its_time_and_without_ends() {
        for (committed, expected) in
            [("1r:a,~1!@b$3", "1r:a,~1@b"), ("1s:a!@b", "1s:a@b"), ("1s:a@-", "1s:a@-"), ("1m:a:f3@b$ff", "1m:a:00@b"), ("", "")]
        {
            assert_eq!(resumed(committed), expected);
        }
    }

    #[test]
    fn text_of_others_is_ignored() {
        let mut clock = Clock::new(SourceRole::Stream, Duration::ZERO, 0);
        clock.adopt("AgAAAX");
        assert_eq!(clock.reading().unwrap().watermark, Timestamp::MIN);
    }
}
