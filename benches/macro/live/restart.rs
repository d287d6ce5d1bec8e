//! A clean stop and the next start on the same disk, under a slow and steady input: for how long no results come.

use std::time::{Duration, Instant};

use headwater_benches::{Data, Expected, Job};
use headwater_core::port::Ends;
use serde_json::{Value, json};

use super::feed::Pace;
use super::{Live, PRIMER};
use crate::check::check;
use crate::child::Running;
use crate::contender::Contender;
use crate::peer::Peer;
use crate::report::{Figures, rounded};
use crate::run::{cleaned, create_topics, job, log_path};
use crate::settings::{Settings, Variant};
use crate::stage::Stage;

/// From the first steady record to the stop.
const BEFORE: Duration = Duration::from_secs(5);
/// From the first results of the second process to the last record.
const AFTER: Duration = Duration::from_secs(2);
/// More records than can be written while it lasts.
const ENOUGH: Duration = Duration::from_secs(600);

/// Who is restarted. Kafka Streams twice: told to leave its group when it is stopped, and as it does by itself, which is to stay a member
/// until its session has run out.
pub(crate) const CASES: [(&str, Contender, bool); 3] = [
    ("headwater", Contender::Headwater, false),
    ("streams", Contender::Streams, false),
    ("streams-stays", Contender::Streams, true),
];

/// What a restart took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Restart {
    /// From the signal to the end of the process.
    pub(crate) stop_seconds: f64,
    /// From the start of the next process to its first result that can be read.
    pub(crate) first_seconds: f64,
    /// The same, to the first result in every partition.
    pub(crate) all_seconds: f64,
    /// From the signal to the first result of the next process.
    pub(crate) outage_seconds: f64,
    records: u64,
    rate: u64,
}

impl Figures for Restart {
    fn figures(&self) -> Value {
        json!({
            "stop_seconds": rounded(self.stop_seconds),
            "restart_seconds": rounded(self.first_seconds),
            "restart_all_seconds": rounded(self.all_seconds),
            "outage_seconds": rounded(self.outage_seconds),
            "records": self.records,
            "rate": self.rate,
        })
    }
}

/// Runs one case once, checks its results and removes what it has left.
pub(crate) fn run(
    stage: &Stage,
    settings: &Settings,
    peer: &Peer,
    (variant, (name, contender, stays), number): (Variant, (&str, Contender, bool), usize),
) -> Result<Restart, String> {
    let app = format!("restart-{name}-{number}");
    let data = Data { records: settings.steady * ENOUGH.as_secs(), ..settings.data };
    let job = Job { input: format!("{app}-in"), stays, ..job(stage, settings, variant, app) };
    let measured = measure(stage, settings, peer, (&job, data, contender));
    cleaned(stage, &job, contender, measured)
}

fn measure(
    stage: &Stage,
    settings: &Settings,
    peer: &Peer,
    (job, data, contender): (&Job, Data, Contender),
) -> Result<Restart, String> {
    let output = create_topics(stage, job, contender)?;
    let start = |log: &str| {
        let log = log_path(stage, settings, &format!("{}-{log}", job.app));
        Running::start(contender.command(job, peer, settings), &log, &stage.guardian)
    };
    let live = Live::new(stage, job, &output, data, Pace { primer: PRIMER, rate: settings.steady });
    let (times, fed) = live.play(|| {
        let usage = start("first")?.stop_when(settings.limit, || live.look().map(|()| live.steady() >= BEFORE))?;
        let ended = Instant::now();
        let asked = usage.began + Duration::from_secs_f64(usage.seconds);
        let second = start("second")?;
        // It takes longer to start than this.
        let behind = ends(&live)?;
        let mut progress = None;
        let mut back = None;
        let usage = second.stop_when(settings.limit, || {
            live.look()?;
            back = first_and_last(&live, &behind);
            if back.is_some_and(|(_, last)| last.elapsed() >= AFTER) {
                live.signals.enough();
            }
            live.is_processed(&mut progress)
        })?;
        let (first, last) = back.ok_or("there is no result of the second process")?;
        Ok((asked, ended, usage.began, first, last))
    })?;
    let mut expected = Expected::of(job.workload, &Data { records: fed.records, ..data });
    check(stage, &output, &mut expected)?;
    let (asked, ended, began, first, last) = times;
    Ok(Restart {
        stop_seconds: ended.duration_since(asked).as_secs_f64(),
        first_seconds: first.saturating_duration_since(began).as_secs_f64(),
        all_seconds: last.saturating_duration_since(began).as_secs_f64(),
        outage_seconds: first.saturating_duration_since(asked).as_secs_f64(),
        records: fed.records,
        rate: settings.steady,
    })
}

/// Partitions with results, and where the next result will be.
fn ends(live: &Live<'_>) -> Result<Vec<(i32, i64)>, String> {
    let partitions = live.stage.partitions_of(live.output);
    let ends = live.stage.reader("macro-listener").and_then(|mut reader| reader.ends(&partitions));
    let ends = ends.map_err(|error| format!("looking at the results: {error}"))?;
    let found = partitions.iter().zip(ends).filter(|(_, Ends { start, end })| start < end);
    Ok(found.map(|(partition, Ends { end, .. })| (partition.partition, end)).collect())
}

/// When the first of the partitions had a result behind these, and when the last of them; none unless all have.
fn first_and_last(live: &Live<'_>, behind: &[(i32, i64)]) -> Option<(Instant, Instant)> {
    let times: Vec<Instant> = behind.iter().map(|(partition, end)| live.arrivals.at(*partition, *end)).collect::<Option<_>>()?;
    Some((*times.iter().min()?, *times.iter().max()?))
}
