use std::fs;
use std::path::PathBuf;

use headwater_benches::{Expected, INPUT, Job};
use headwater_core::port::{Log, LogError};

use crate::check::check;
use crate::child::{Running, STOPPED, Usage};
use crate::contender::Contender;
use crate::peer::Peer;
use crate::progress::Progress;
use crate::settings::{Settings, Variant};
use crate::stage::Stage;

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    /// From the start of the process to its exit where it ends by itself, else to the last result in its topic.
    pub(crate) total_seconds: f64,
    /// From the start of the process to the first result in its topic.
    pub(crate) first_output_seconds: f64,
    /// From the first result to the last one.
    pub(crate) output_seconds: f64,
    /// Of the bounded runs by the whole time; of the others by the time between results.
    pub(crate) records_per_second: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) broker_cpu_seconds: f64,
    pub(crate) peak_mib: u64,
}

/// Runs one contender once, checks its results and removes what it has left.
pub(crate) fn run(
    stage: &Stage,
    settings: &Settings,
    peer: &Peer,
    (variant, contender, number): (Variant, Contender, usize),
) -> Result<Measured, String> {
    let app = format!("{}-{contender}-{number}", variant.workload.to_string().to_lowercase());
    let job = job(stage, settings, variant, app);
    let measured = measure(stage, settings, peer, (&job, variant.processes), contender);
    cleaned(stage, &job, contender, measured)
}

/// What a contender is told who reads the input that is there already.
pub(crate) fn job(stage: &Stage, settings: &Settings, variant: Variant, app: String) -> Job {
    Job {
        workload: variant.workload,
        state: stage.directory().join(&app),
        app,
        bootstrap: stage.bootstrap(),
        workers: variant.workers,
        exactly_once: variant.exactly_once,
        partitions: stage.partitions,
        compression: settings.compression.clone(),
        input: INPUT.to_owned(),
        awaited: 0,
        commit: settings.commit,
        linger: settings.linger.clone(),
        memo_digits: settings.data.memo_digits(),
        stays: false,
    }
}

/// Creates what the contender cannot create by itself. Answers the topic of its results.
pub(crate) fn create_topics(stage: &Stage, job: &Job, contender: Contender) -> Result<String, String> {
    let output = contender.output(job);
    for topic in contender.needs(job) {
        // Of the results the time at which they came is wanted; changelogs and repartitions keep their records' own.
        let is_output = topic == output;
        let config: &[(&str, &str)] = if is_output { &[("message.timestamp.type", "LogAppendTime")] } else { &[] };
        stage.create(&topic, config).map_err(|error| format!("creating {topic}: {error}"))?;
    }
    Ok(output)
}

/// Where a contender's log goes.
pub(crate) fn log_path(stage: &Stage, settings: &Settings, name: &str) -> PathBuf {
    settings.logs.as_deref().unwrap_or_else(|| stage.directory()).join(format!("{name}.log"))
}

fn measure(
    stage: &Stage,
    settings: &Settings,
    peer: &Peer,
    (job, processes): (&Job, usize),
    contender: Contender,
) -> Result<Measured, String> {
    let output = create_topics(stage, job, contender)?;
    let mut expected = Expected::of(job.workload, &settings.data);
    let mut progress =
        Progress::of(stage, job, &output, expected.results()).map_err(|error| format!("looking at the input: {error}"))?;
    let before = stage.broker_cpu_seconds();
    let start = |number: usize| {
        let name = if number == 1 { job.app.clone() } else { format!("{}-process-{number}", job.app) };
        let log = log_path(stage, settings, &name);
        let job = Job { state: job.state.join(number.to_string()), ..job.clone() };
        Running::start(contender.command(&job, peer, settings), &log, &stage.guardian)
    };
    let (running, others) = (start(1)?, (2..=processes).map(start).collect::<Result<Vec<Running>, String>>()?);
    let usage = match contender.ends_by_itself(job.workload) {
        true => running.end(settings.limit, || stage.is_up())?,
        false => running.stop_when(settings.limit, || {
            stage.is_up()?;
            others.iter().try_for_each(Running::goes_on)?;
            progress.is_done()
        })?,
    };
    let usage = others.into_iter().try_fold(usage, |all, other| other.stop(&STOPPED).map(|usage| all.and(usage)))?;
    let broker_cpu_seconds = stage.broker_cpu_seconds() - before;
    let span = check(stage, &output, &mut expected)?;
    let Usage { began_at, seconds, cpu_seconds, peak_mib, .. } = usage;
    let since_start = |at: i64| (at - began_at) as f64 / 1e3;
    let is_bounded = job.workload.is_bounded();
    let output_seconds = (span.last - span.first).max(1) as f64 / 1e3;
    let total_seconds = if is_bounded { seconds } else { since_start(span.last) };
    Ok(Measured {
        total_seconds,
        first_output_seconds: since_start(span.first),
        output_seconds,
        records_per_second: settings.data.records as f64 / if is_bounded { total_seconds } else { output_seconds },
        cpu_seconds,
        broker_cpu_seconds,
        peak_mib,
    })
}

/// Removes what a contender has left, however its run ended, and answers what was measured.
pub(crate) fn cleaned<T>(stage: &Stage, job: &Job, contender: Contender, measured: Result<T, String>) -> Result<T, String> {
    let cleaned = clean(stage, job, contender);
    let measured = measured?;
    cleaned.map_err(|error| format!("what it left cannot be removed: {error}"))?;
    Ok(measured)
}

/// Removes state, topics and groups.
fn clean(stage: &Stage, job: &Job, contender: Contender) -> Result<(), LogError> {
    if let Err(error) = fs::remove_dir_all(&job.state)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(LogError::Fatal(format!("{}: {error}", job.state.display())));
    }
    let mut admin = stage.log.admin()?;
    admin.delete(&contender.leaves(job))?;
    // One that was killed is a member until its session is over, and harms nobody: names are used once.
    for group in Contender::groups(job) {
        if let Err(error) = admin.delete_group(&group) {
            eprintln!("the group {group} stays: {error}");
        }
    }
    Ok(())
}
