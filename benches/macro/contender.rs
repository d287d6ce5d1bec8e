use std::fmt;
use std::process::{Command, Stdio};
use std::str::FromStr;

use headwater_benches::{INPUT, Job, PLAIN, REPARTITION, STORE, Workload};

use crate::peer::Peer;
use crate::settings::{Settings, Variant};

/// The name of a backfill, and the suffix of its results in [`Workload::W6`].
const BACKFILL: &str = "again";

/// Who computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contender {
    Headwater,
    Streams,
    Ceiling,
    /// The ceiling with RocksDB as it comes: each update of a key is one more entry of the memtable.
    Plain,
}

impl Contender {
    pub(crate) const ALL: [Contender; 4] = [Contender::Headwater, Contender::Streams, Contender::Ceiling, Contender::Plain];

    /// Whether it takes part where the throughput of a workload is measured. What a store costs as it comes is of interest where that is what differs.
    /// Several processes are for members of a group that run until they are stopped: the bare loops divide partitions by hand.
    pub(crate) fn runs(self, variant: Variant) -> bool {
        let is_asked = self != Contender::Plain || variant.workload == Workload::W2;
        is_asked && (variant.processes == 1 || !self.ends_by_itself(variant.workload))
    }

    /// Whether it is one of the bare loops.
    fn is_bare(self) -> bool {
        matches!(self, Contender::Ceiling | Contender::Plain)
    }

    /// The process that does the job.
    pub(crate) fn command(self, job: &Job, peer: &Peer, settings: &Settings) -> Command {
        let mut command = match self {
            Contender::Headwater => headwater(job, settings),
            Contender::Streams => peer.command(settings.memory),
            Contender::Ceiling | Contender::Plain => Command::new(env!("CARGO_BIN_EXE_macro-ceiling")),
        };
        if self == Contender::Plain {
            command.arg(PLAIN);
        }
        tell(&mut command, job);
        command
    }

    /// Whether its process ends by itself when everything is processed.
    pub(crate) fn ends_by_itself(self, workload: Workload) -> bool {
        workload.is_bounded() || self.is_bare()
    }

    /// The topic in which its results are.
    pub(crate) fn output(self, job: &Job) -> String {
        match (self, job.workload.is_bounded()) {
            (Contender::Headwater, true) => format!("{}.{BACKFILL}", job.output()),
            _ => job.output(),
        }
    }

    /// Topics it cannot create by itself.
    pub(crate) fn needs(self, job: &Job) -> Vec<String> {
        let mut topics = vec![job.output(), self.output(job)];
        if self.is_bare() {
            topics.extend(internal(&job.app));
        }
        topics.dedup();
        topics
    }

    /// All topics that there may be after it.
    pub(crate) fn leaves(self, job: &Job) -> Vec<String> {
        let mut topics = self.needs(job);
        for app in Contender::groups(job) {
            topics.extend(internal(&app));
            topics.extend([format!("{app}-control"), format!("{app}-dead-letters")]);
        }
        topics.push(format!("{}-profiles-store-changelog", job.app));
        if job.input != INPUT {
            topics.push(job.input.clone());
        }
        topics.sort();
        topics.dedup();
        topics
    }

    /// The groups that there may be after a run, whoever's it was.
    pub(crate) fn groups(job: &Job) -> Vec<String> {
        vec![job.app.clone(), backfill_name(job)]
    }
}

/// What a backfill of Headwater is called as an application, and so its group.
pub(crate) fn backfill_name(job: &Job) -> String {
    format!("{}.{BACKFILL}", job.app)
}

/// Headwater's backfill beside a live application: over all that the input has by now, for the state only, held down to a rate.
pub(crate) fn throttled_backfill(job: &Job, settings: &Settings) -> Command {
    let rate = settings.beside_rate.to_string();
    let mut command = backfill(job, settings, &["--mode", "state-only", "--max-rate", &rate]);
    tell(&mut command, job);
    command
}

fn tell(command: &mut Command, job: &Job) {
    command.envs(job.environment()).stdin(Stdio::null());
}

fn internal(app: &str) -> [String; 2] {
    [format!("{app}-{STORE}-changelog"), format!("{app}-{REPARTITION}-repartition")]
}

fn headwater(job: &Job, settings: &Settings) -> Command {
    if job.workload.is_bounded() {
        return backfill(job, settings, &["--no-digest", &format!("--output-suffix=.{BACKFILL}")]);
    }
    application(job, settings, &["run", "--workers", &job.workers.to_string()])
}

/// A backfill of all that the input has by now; `how` says what for.
fn backfill(job: &Job, settings: &Settings, how: &[&str]) -> Command {
    let workers = job.workers.to_string();
    let all = ["backfill", "--from", "earliest", "--to", "now", "--id", BACKFILL, "--parallel", &workers];
    application(job, settings, &[&all[..], how].concat())
}

/// A command of Headwater's application.
fn application(job: &Job, settings: &Settings, words: &[&str]) -> Command {
    let memory = settings.memory;
    let mut command = Command::new(env!("CARGO_BIN_EXE_macro-app"));
    command.args(words);
    let guarantee = if job.exactly_once { "exactly-once" } else { "at-least-once" };
    command.args(["--bootstrap", &job.bootstrap, "--log-filter", &settings.log]).arg("--state-dir").arg(&job.state);
    for (option, asked) in [("compression.type", &job.compression), ("linger.ms", &job.linger)] {
        if !asked.is_empty() {
            command.arg("--set").arg(format!("kafka.rdkafka.{option}={asked}"));
        }
    }
    let interval = format!("run.commit_interval={}ms", job.commit);
    let limit = format!("memory.limit={memory}MiB");
    for setting in [format!("run.guarantee={guarantee}"), interval, limit, "admin.listen=off".to_owned()] {
        command.arg("--set").arg(setting);
    }
    command
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Contender::Headwater => "headwater",
            Contender::Streams => "streams",
            Contender::Ceiling => "ceiling",
            Contender::Plain => PLAIN,
        })
    }
}

impl FromStr for Contender {
    type Err = String;

    fn from_str(text: &str) -> Result<Contender, String> {
        let found = Contender::ALL.into_iter().find(|contender| contender.to_string() == text);
        found.ok_or_else(|| format!("{text:?} is nobody: headwater, streams, ceiling and plain are"))
    }
}
