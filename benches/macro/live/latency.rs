//! End-to-end latency at a fixed rate: from the time at which a record is due to the one at which its result can be read.

use std::process::Command;
use std::time::Duration;

use headwater_benches::{Answers, Data, Expected, Job, Quantiles};
use serde_json::{Value, json};

use super::feed::{Fed, Pace};
use super::{Live, PRIMER};
use crate::check::check_each;
use crate::child::{Running, Usage};
use crate::contender::Contender;
use crate::peer::Peer;
use crate::report::{Figures, rounded};
use crate::run::{cleaned, create_topics, job, log_path};
use crate::settings::{Settings, Variant};
use crate::stage::Stage;

/// Not counted: a JVM is still compiling, and caches are cold.
pub(crate) const WARM_UP: Duration = Duration::from_secs(5);

/// How late results were.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Latency {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Of those results alone that did not meet a slow machine.
    pub(crate) p99_unslowed_ms: f64,
    pub(crate) max_ms: f64,
    /// How late the bench itself was with the records: this is in the others, and more than a millisecond or two makes them worthless.
    pub(crate) feed_p99_ms: f64,
    /// Percent of the time in which the machine itself was slow: above a half a p99 says little about who was measured.
    pub(crate) machine_slow_percent: f64,
    /// Results that were counted.
    counted: usize,
    /// Records written, those that do not count included, and how many of them in a second.
    pub(crate) records: u64,
    rate: u64,
    pub(crate) cpu_seconds: f64,
    broker_cpu_seconds: f64,
    peak_mib: u64,
}

impl Figures for Latency {
    fn figures(&self) -> Value {
        json!({
            "latency_p50_ms": rounded(self.p50_ms),
            "latency_p99_ms": rounded(self.p99_ms),
            "latency_p99_unslowed_ms": rounded(self.p99_unslowed_ms),
            "latency_max_ms": rounded(self.max_ms),
            "feed_late_p99_ms": rounded(self.feed_p99_ms),
            "machine_slow_percent": rounded(self.machine_slow_percent),
            "counted": self.counted,
            "records": self.records,
            "rate": self.rate,
            "cpu_seconds": rounded(self.cpu_seconds),
            "broker_cpu_seconds": rounded(self.broker_cpu_seconds),
            "peak_mib": self.peak_mib,
        })
    }
}

/// Runs one contender once, checks its results and removes what it has left.
pub(crate) fn run(
    stage: &Stage,
    settings: &Settings,
    peer: &Peer,
    (variant, contender, number): (Variant, Contender, usize),
) -> Result<Latency, String> {
    let app = format!("latency-{}-{contender}-{number}", variant.workload.to_string().to_lowercase());
    let data = Data { records: PRIMER + settings.rate * settings.seconds, ..settings.data };
    let job = Job { input: format!("{app}-in"), awaited: data.records, ..job(stage, settings, variant, app) };
    let measured = measure(stage, settings, peer, (&job, data, contender));
    cleaned(stage, &job, contender, measured)
}

fn measure(
    stage: &Stage,
    settings: &Settings,
    peer: &Peer,
    (job, data, contender): (&Job, Data, Contender),
) -> Result<Latency, String> {
    let output = create_topics(stage, job, contender)?;
    let live = Live::new(stage, job, &output, data, Pace { primer: PRIMER, rate: settings.rate });
    let played = play(&live, settings, (contender, contender.command(job, peer, settings)), || live.look())?;
    judge(&live, played)
}

/// What was written and used while results came.
pub(super) struct Played {
    fed: Fed,
    usage: Usage,
    broker_cpu_seconds: f64,
}

/// Writes and listens while the contender's process, started by the command, does the job. `look` is asked all the time until everything is processed, and lets the
/// steady part begin.
pub(super) fn play(
    live: &Live<'_>,
    settings: &Settings,
    (contender, command): (Contender, Command),
    mut look: impl FnMut() -> Result<(), String>,
) -> Result<Played, String> {
    let log = log_path(live.stage, settings, &live.job.app);
    let limit = settings.limit + Duration::from_secs(settings.seconds);
    let before = live.stage.broker_cpu_seconds();
    let (usage, fed) = live.play(|| {
        let running = Running::start(command, &log, &live.stage.guardian)?;
        if contender.ends_by_itself(live.job.workload) {
            return running.end(limit, &mut look);
        }
        let mut progress = None;
        running.stop_when(limit, || look().and_then(|()| live.is_processed(&mut progress)))
    })?;
    Ok(Played { fed, usage, broker_cpu_seconds: live.stage.broker_cpu_seconds() - before })
}

/// Checks all results, and answers how late those were that count.
pub(super) fn judge(live: &Live<'_>, played: Played) -> Result<Latency, String> {
    let Played { fed, usage: Usage { cpu_seconds, peak_mib, .. }, broker_cpu_seconds } = played;
    let Times { all: times, unslowed } = times(live, &fed)?;
    Ok(Latency {
        p50_ms: times.at(0.5),
        p99_ms: times.at(0.99),
        p99_unslowed_ms: unslowed.at(0.99),
        max_ms: times.at(1.0),
        feed_p99_ms: fed.late.at(0.99),
        machine_slow_percent: fed.slowness.percent(),
        counted: times.count(),
        records: fed.records,
        rate: live.pace.rate,
        cpu_seconds,
        broker_cpu_seconds,
        peak_mib,
    })
}

/// How long results took.
struct Times {
    all: Quantiles,
    /// Of those whose record was not due, under way or answered while the machine was slow.
    unslowed: Quantiles,
}

/// Checks all results, and answers for each that counts how long it took.
fn times(live: &Live<'_>, fed: &Fed) -> Result<Times, String> {
    let workload = live.job.workload;
    let answers = Answers::of(workload, &live.data).ok_or_else(|| format!("the latency of {workload} cannot be told"))?;
    let (mut all, mut unslowed, mut unheard) = (Vec::new(), Vec::new(), 0);
    let mut expected = Expected::of(workload, &live.data);
    check_each(live.stage, live.output, &mut expected, |partition, result| {
        let record = result.value.as_deref().and_then(|value| answers.record_of(value));
        // A result that is no answer is an error of the check.
        let Some(record) = record.filter(|record| *record >= live.pace.primer && live.pace.due(*record) >= WARM_UP) else {
            return;
        };
        let Some(at) = live.arrivals.at(partition, result.offset) else {
            unheard += 1;
            return;
        };
        let due = live.due(fed, record);
        let took = at.saturating_duration_since(due);
        all.push(took);
        unslowed.extend((!fed.slowness.is_met(due, at)).then_some(took));
    })?;
    if unheard > 0 || all.is_empty() {
        return Err(format!("{} results were timed, and {unheard} were not heard of while they came", all.len()));
    }
    Ok(Times { all: Quantiles::of(all), unslowed: Quantiles::of(unslowed) })
}
