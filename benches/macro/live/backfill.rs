use std::time::{Duration, Instant};

use headwater_core::TopicPartition;
use headwater_core::port::{LogError, Reader};

use super::Live;
use crate::child::{Running, Usage};
use crate::contender::{backfill_name, throttled_backfill};
use crate::run::log_path;
use crate::settings::Settings;

/// Between two looks at its positions: it commits each 3 s, and the broker has other things to do.
const LOOK: Duration = Duration::from_millis(200);
/// One that has not committed anything for so long at its end did not go on beside.
const SILENCE: Duration = Duration::from_secs(10);
/// The exit code of one that was stopped before its end.
const STOPPED: i32 = 1;
/// By what share of what it was to do it may have done less or more: commits are seen up to a look too late.
const TOLERATED: f64 = 0.1;
/// And by how many records of each partition: it does so many at once, and then waits until they are due.
const AT_ONCE: i64 = 256;

/// A throttled backfill of a live application, in a process of its own: over what the input has before the steady part begins, for the state only.
pub(super) struct Backfill<'a> {
    live: &'a Live<'a>,
    settings: &'a Settings,
    /// Of the group's positions.
    reader: Box<dyn Reader>,
    input: Vec<TopicPartition>,
    running: Option<Running>,
    looked: Option<Instant>,
    /// How many records it had committed when they were looked at, each time that they were more.
    steps: Vec<(Instant, i64)>,
}

/// What one did from its first commit to its last one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backfilled {
    pub(crate) records_per_second: f64,
    /// What it was to do.
    pub(crate) rate: u64,
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_mib: u64,
}

impl<'a> Backfill<'a> {
    pub(super) fn of(live: &'a Live<'a>, settings: &'a Settings) -> Result<Backfill<'a>, String> {
        let reader = live.stage.reader(&backfill_name(live.job)).map_err(|error| format!("looking at the backfill: {error}"))?;
        let input = live.stage.partitions_of(&live.job.input);
        Ok(Backfill { live, settings, reader, input, running: None, looked: None, steps: Vec::new() })
    }

    /// Starts it once the primer is answered, and lets the steady part begin once it has committed something. An error if it has ended.
    pub(super) fn look(&mut self) -> Result<(), String> {
        let is_primed = self.live.is_primed()?;
        let Some(running) = &self.running else {
            if is_primed {
                self.running = Some(self.start()?);
            }
            return Ok(());
        };
        running.goes_on().map_err(|error| format!("the backfill, before the live application: {error}"))?;
        self.look_at_positions()?;
        if !self.steps.is_empty() {
            self.live.signals.begin();
        }
        Ok(())
    }

    fn start(&self) -> Result<Running, String> {
        let Live { stage, job, .. } = self.live;
        let log = log_path(stage, self.settings, &format!("{}-backfill", job.app));
        Running::start(throttled_backfill(job, self.settings), &log, &stage.guardian)
    }

    fn look_at_positions(&mut self) -> Result<(), String> {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return Ok(());
        }
        let positions = match self.reader.committed(&self.input) {
            Ok(positions) => positions,
            // The group may not be there yet, or just be committing.
            Err(LogError::Retriable(_)) => return Ok(()),
            Err(error) => return Err(format!("the backfill's positions: {error}")),
        };
        let now = Instant::now();
        self.looked = Some(now);
        let committed = positions.iter().flatten().map(|position| position.offset).sum();
        if committed > self.steps.last().map_or(0, |(_, before)| *before) {
            self.steps.push((now, committed));
        }
        Ok(())
    }

    /// Stops it, and answers what it did. An error if that is not what it was to do.
    pub(super) fn stop(self) -> Result<Backfilled, String> {
        let running = self.running.ok_or("the backfill was not started")?;
        let usage = running.stop(&[0, STOPPED]).map_err(|error| format!("the backfill: {error}"))?;
        let (Some((began, before)), Some((ended, behind))) = (self.steps.first(), self.steps.last()) else {
            return Err("the backfill has committed nothing".to_owned());
        };
        if self.looked.is_some_and(|looked| looked.duration_since(*ended) > SILENCE) {
            return Err(format!("the backfill has committed nothing in the last {SILENCE:?}"));
        }
        let (records, seconds) = ((behind - before) as f64, ended.duration_since(*began).as_secs_f64());
        let rate = self.settings.beside_rate;
        let due = rate as f64 * seconds;
        let at_once = AT_ONCE * self.input.len() as i64;
        if records == 0.0 || (records - due).abs() > TOLERATED * due + at_once as f64 {
            return Err(format!("the backfill did {records} records in {seconds:.1} s instead of {due:.0} (BESIDE_RATE={rate})"));
        }
        let records_per_second = records / seconds;
        let Usage { cpu_seconds, peak_mib, .. } = usage;
        Ok(Backfilled { records_per_second, rate, cpu_seconds, peak_mib })
    }
}
