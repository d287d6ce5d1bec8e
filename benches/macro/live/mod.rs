//! Contenders with records that come at a steady rate while they run: how late the results are, and how long they fail to come when a process is
//! stopped and started again; and how late they are while a backfill goes on beside.

mod arrivals;
mod backfill;
pub(crate) mod beside;
mod feed;
pub(crate) mod latency;
pub(crate) mod restart;
mod signals;

use std::thread;
use std::time::{Duration, Instant};

use headwater_benches::{Data, Expected, Job};
use headwater_core::port::LogError;

use crate::progress::Progress;
use crate::stage::Stage;
use arrivals::Arrivals;
use feed::{Fed, Feed, Pace};
use signals::Signals;

/// Records that are written before those that count, if nobody wants more: when all of them are answered, every task of a contender is at work.
const PRIMER: u64 = 1_000;

/// One input that is written to, and one output that is listened to.
pub(crate) struct Live<'a> {
    stage: &'a Stage,
    job: &'a Job,
    output: &'a str,
    /// `records` is the most that are written.
    data: Data,
    pace: Pace,
    arrivals: Arrivals,
    signals: Signals,
    /// Results of the primer.
    primed: u64,
}

impl<'a> Live<'a> {
    fn new(stage: &'a Stage, job: &'a Job, output: &'a str, data: Data, pace: Pace) -> Live<'a> {
        let primed = Expected::of(job.workload, &Data { records: pace.primer.min(data.records), ..data }).results();
        Live { stage, job, output, data, pace, arrivals: Arrivals::default(), signals: Signals::default(), primed }
    }

    /// Writes and listens while `act` goes on, which must ask [`look`](Live::look) all the time. Answers what it does, and what was written.
    fn play<T>(&self, act: impl FnOnce() -> Result<T, String>) -> Result<(T, Fed), String> {
        let log = |what: &'static str| move |error: LogError| format!("{what}: {error}");
        self.stage.create(&self.job.input, &[]).map_err(log("creating the input"))?;
        let mut reader = self.stage.reader("macro-listener").map_err(log("listening"))?;
        let from: Vec<_> = self.stage.partitions_of(self.output).into_iter().map(|partition| (partition, 0)).collect();
        reader.assign(&from).map_err(log("listening"))?;
        let feed = Feed { stage: self.stage, topic: self.job.input.as_str().into(), data: self.data, pace: self.pace };
        thread::scope(|scope| {
            let listener = scope.spawn(|| self.signals.watched(|| self.arrivals.listen(reader, &self.signals)));
            let feeder = scope.spawn(|| self.signals.watched(|| feed.run(&self.signals)));
            let acted = act();
            self.signals.end();
            let (fed, heard) = (feeder.join(), listener.join());
            let acted = acted?;
            heard.map_err(|_| "the listener panicked")?.map_err(log("listening"))?;
            let fed = fed.map_err(|_| "the feed panicked")?.map_err(log("writing the input"))?;
            Ok((acted, fed))
        })
    }

    /// Lets the steady part begin once the primer is answered. An error if nothing will come of all this.
    fn look(&self) -> Result<(), String> {
        if self.is_primed()? {
            self.signals.begin();
        }
        Ok(())
    }

    /// Whether the primer is answered. An error if nothing will come of all this.
    fn is_primed(&self) -> Result<bool, String> {
        self.stage.is_up()?;
        match self.signals.failure() {
            Some(failure) => Err(failure),
            None => Ok(self.arrivals.records() >= self.primed),
        }
    }

    /// For how long records have come steadily.
    fn steady(&self) -> Duration {
        self.signals.begun().map_or(Duration::ZERO, |begun| begun.elapsed())
    }

    /// Whether all records are written, processed and committed; `progress` is for the next time.
    fn is_processed(&self, progress: &mut Option<Progress>) -> Result<bool, String> {
        if !self.signals.is_fed() {
            return Ok(false);
        }
        if progress.is_none() {
            let looked = Progress::of(self.stage, self.job, self.output, 0);
            *progress = Some(looked.map_err(|error| format!("looking at the input: {error}"))?);
        }
        progress.as_mut().map_or(Ok(false), Progress::is_done)
    }

    /// When the record was to be sent.
    fn due(&self, fed: &Fed, record: u64) -> Instant {
        fed.began + self.pace.due(record)
    }
}
