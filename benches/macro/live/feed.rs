use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use headwater_benches::{Data, Pulse, Quantiles, Slowness, key_of};
use headwater_core::TopicName;
use headwater_core::port::{LogError, Producer};

use super::latency::WARM_UP;
use super::signals::Signals;
use crate::stage::Stage;

/// Between two looks at the clock when there is nothing to send yet. It is part of everybody's latency.
const TICK: Duration = Duration::from_millis(1);

/// When which record is due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// So many are written at once, before the steady part begins.
    pub(super) primer: u64,
    /// Records per second.
    pub(super) rate: u64,
}

impl Pace {
    /// From the beginning of the steady part. Whatever delays the feed, it does not move: who is late is late for all that were due.
    pub(super) fn due(&self, record: u64) -> Duration {
        Duration::from_secs_f64(record.saturating_sub(self.primer) as f64 / self.rate as f64)
    }
}

/// What writes the input.
pub(super) struct Feed<'a> {
    pub(super) stage: &'a Stage,
    pub(super) topic: TopicName,
    pub(super) data: Data,
    pub(super) pace: Pace,
}

/// What was written.
pub(super) struct Fed {
    /// When the steady part began.
    pub(super) began: Instant,
    pub(super) records: u64,
    /// How much later than they were due records that count were handed to the client: above some milliseconds, this program is what was measured.
    pub(super) late: Quantiles,
    /// When the machine itself was slow, in the time that counts.
    pub(super) slowness: Slowness,
}

impl Feed<'_> {
    /// Writes the primer, waits for the word, and then each record when it is due, its time being that at which it was due. Returns when all of
    /// them are acknowledged, or those before somebody had enough.
    pub(super) fn run(&self, signals: &Signals) -> Result<Fed, LogError> {
        let mut producer = self.stage.prompt_producer()?;
        let mut value = Vec::new();
        let primer = self.pace.primer.min(self.data.records);
        let before = wall_millis();
        (0..primer).try_for_each(|record| self.send(producer.as_mut(), record, before, &mut value))?;
        producer.flush()?;
        while signals.begun().is_none() && !signals.is_enough() {
            pause();
        }
        let began = signals.begun().unwrap_or_else(Instant::now);
        // The wall clock is asked once; from there on only the one that cannot jump.
        let epoch = wall_millis() - began.elapsed().as_millis() as i64;
        let (mut late, mut pulse, mut records) = (Vec::new(), Pulse::default(), primer);
        while records < self.data.records && !signals.is_enough() {
            let due = self.pace.due(records);
            let Some(behind) = began.elapsed().checked_sub(due) else {
                if due >= WARM_UP {
                    pulse.look();
                }
                pause();
                continue;
            };
            if due >= WARM_UP {
                late.push(behind);
            }
            self.send(producer.as_mut(), records, epoch + due.as_millis() as i64, &mut value)?;
            records += 1;
        }
        producer.flush()?;
        signals.fed();
        Ok(Fed { began, records, late: Quantiles::of(late), slowness: pulse.slowness() })
    }

    fn send(&self, producer: &mut dyn Producer, record: u64, at: i64, value: &mut Vec<u8>) -> Result<(), LogError> {
        let key = key_of(self.data.account(record));
        self.data.write_value(record, &key, value);
        self.stage.send(producer, &self.topic, &key, value, at)
    }
}

#[expect(clippy::disallowed_methods, reason = "a rate is kept by waiting")]
fn pause() {
    thread::sleep(TICK);
}

#[expect(clippy::disallowed_methods, reason = "records have the time of day at which they are due")]
fn wall_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
