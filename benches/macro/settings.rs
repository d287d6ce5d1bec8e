use std::env;
use std::fmt::Display;
use std::fs;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use headwater_benches::{Answers, Data, Workload};

use crate::contender::Contender;
use crate::live::latency::WARM_UP;
use crate::stage::JVM;

/// What is run, from the command line and the environment.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Whose records per second are measured.
    pub(crate) workloads: Vec<Workload>,
    /// Whose latency is measured.
    pub(crate) latency: Vec<Workload>,
    /// Whether latency beside a backfill is measured.
    pub(crate) beside: bool,
    /// Whether restarts are measured.
    pub(crate) restart: bool,
    pub(crate) contenders: Vec<Contender>,
    pub(crate) data: Data,
    pub(crate) partitions: i32,
    pub(crate) rounds: usize,
    /// MiB: `memory.limit` of Headwater, the largest heap of Kafka Streams.
    pub(crate) memory: u64,
    /// How what is written is compressed; empty: as each contender does by itself.
    pub(crate) compression: String,
    /// Milliseconds for which what is to be sent may wait for more; empty: as each contender does by itself.
    pub(crate) linger: String,
    /// Milliseconds between commits.
    pub(crate) commit: u64,
    /// Records per second, and for how many seconds, where latency is measured.
    pub(crate) rate: u64,
    pub(crate) seconds: u64,
    /// Records per second that a backfill beside a live application may do.
    pub(crate) beside_rate: u64,
    /// Options of the broker's JVM, in place of those that Kafka's start script gives it.
    pub(crate) broker_jvm: String,
    /// Records per second while a process is restarted.
    pub(crate) steady: u64,
    /// How long a contender may take.
    pub(crate) limit: Duration,
    /// Where the lines of JSON go; standard output if nowhere.
    pub(crate) results: Option<PathBuf>,
    /// Where the contenders' logs are kept; nowhere if they all go with the broker.
    pub(crate) logs: Option<PathBuf>,
    /// What Headwater logs.
    pub(crate) log: String,
    workers: Vec<usize>,
    processes: Vec<usize>,
    guarantees: Vec<String>,
}

/// One way in which a workload is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Variant {
    pub(crate) workload: Workload,
    pub(crate) exactly_once: bool,
    /// Threads that process, of each process.
    pub(crate) workers: usize,
    /// Members of one group, each with state of its own.
    pub(crate) processes: usize,
}

const EXACTLY: &str = "exactly-once";
const AT_LEAST: &str = "at-least-once";
/// What may be asked for beside workloads.
const LATENCY: &str = "latency";
const BESIDE: &str = "beside";
const RESTART: &str = "restart";

impl Settings {
    /// `arguments`: workloads, `latency`, `beside` and `restart`; words with dashes, which cargo adds, are left out.
    pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Result<Settings, String> {
        let (mut workloads, mut latency, mut beside, mut restart) = (Vec::new(), Vec::new(), false, false);
        for word in arguments.filter(|word| !word.starts_with('-')) {
            match word.as_str() {
                LATENCY => latency = list("LATENCY", vec![Workload::W2, Workload::W1])?,
                BESIDE => beside = true,
                RESTART => restart = true,
                workload => {
                    workloads.push(workload.parse().map_err(|error| format!("{error}, and {LATENCY}, {BESIDE}, {RESTART}"))?);
                }
            }
        }
        if workloads.is_empty() && latency.is_empty() && !beside && !restart {
            workloads.push(Workload::W6);
        }
        let data = Data { records: one("RECORDS", 2_000_000)?, keys: one("KEYS", 100_000)?, skew: one("SKEW", 0.0)? };
        let settings = Settings {
            workloads,
            latency,
            beside,
            restart,
            contenders: list("ONLY", Contender::ALL.to_vec())?,
            data,
            partitions: one("PARTITIONS", 4)?,
            rounds: one("ROUNDS", 3)?,
            memory: one("MEMORY", 1024)?,
            compression: one("COMPRESSION", String::new())?,
            linger: one("LINGER", String::new())?,
            commit: one("COMMIT", 100)?,
            rate: one("RATE", 20_000)?,
            seconds: one("SECONDS", 30)?,
            beside_rate: one("BESIDE_RATE", 5_000)?,
            broker_jvm: one("BROKER_JVM", JVM.to_owned())?,
            steady: one("STEADY", 1_000)?,
            // A tenth of what Kafka Streams does on two busy cores, and two minutes for the start.
            limit: Duration::from_secs(one("LIMIT", 120 + data.records / 10_000)?),
            results: path("RESULTS"),
            logs: path("LOGS"),
            log: one("LOG", "warn".to_owned())?,
            workers: list("WORKERS", Vec::new())?,
            processes: list("PROCESSES", Vec::new())?,
            guarantees: list("GUARANTEE", Vec::new())?,
        };
        settings.check()?;
        match settings.logs.as_ref().map(|logs| (logs, fs::create_dir_all(logs))) {
            Some((logs, Err(error))) => Err(format!("LOGS={}: {error}", logs.display())),
            _ => Ok(settings),
        }
    }

    fn check(&self) -> Result<(), String> {
        let refusals = [
            (self.data.records == 0, "RECORDS=0: there is nothing to process; 1 or more"),
            (self.data.keys == 0 || self.data.keys > 100_000_000, "KEYS must be from 1 to 100000000"),
            (!(0.0..=5.0).contains(&self.data.skew), "SKEW must be from 0 (none) to 5"),
            (!(1..=1000).contains(&self.partitions), "PARTITIONS must be from 1 to 1000"),
            (self.rounds == 0, "ROUNDS must be 1 or more"),
            (self.memory < 256, "MEMORY must be 256 (MiB) or more"),
            (self.workers.contains(&0), "WORKERS must be 1 or more"),
            (self.processes.contains(&0), "PROCESSES must be 1 or more"),
            (self.contenders.is_empty(), "ONLY names nobody"),
            (self.latency.iter().any(|workload| !Answers::WORKLOADS.contains(workload)), "LATENCY is of W1, W2 or both"),
            ([self.rate, self.beside_rate, self.steady].contains(&0), "RATE, BESIDE_RATE and STEADY must be 1 or more"),
            (self.seconds <= WARM_UP.as_secs(), "SECONDS must be 6 or more: the first 5 do not count"),
            (self.commit == 0, "COMMIT must be 1 (ms) or more"),
            (!self.linger.is_empty() && self.linger.parse::<u32>().is_err(), "LINGER is a number of milliseconds"),
            (
                !["", "none", "lz4", "zstd", "gzip", "snappy"].contains(&self.compression.as_str()),
                "COMPRESSION is none, lz4, zstd, gzip or snappy",
            ),
        ];
        match refusals.iter().find(|(is_wrong, _)| *is_wrong) {
            Some((_, refusal)) => Err((*refusal).to_owned()),
            None => match self.guarantees.iter().find(|name| ![EXACTLY, AT_LEAST].contains(&name.as_str())) {
                Some(name) => Err(format!("GUARANTEE={name}: {EXACTLY} and {AT_LEAST} are known")),
                None => Ok(()),
            },
        }
    }

    /// Threads of a restore; as many as its proof takes if nothing is asked for.
    pub(crate) fn restore_workers(&self) -> usize {
        self.workers.first().copied().unwrap_or(2)
    }

    /// The variants whose latency is measured: those asked for, else exactly-once and at-least-once, with one worker.
    pub(crate) fn latency_variants(&self) -> Vec<Variant> {
        let guarantees = match self.guarantees.as_slice() {
            [] => vec![true, false],
            named => named.iter().map(|name| name == EXACTLY).collect(),
        };
        let workers = if self.workers.is_empty() { &[1] } else { self.workers.as_slice() };
        let variants = |workload: &Workload| {
            let workload = *workload;
            let of = guarantees.iter().flat_map(move |exactly_once| workers.iter().map(move |workers| (*exactly_once, *workers)));
            of.map(move |(exactly_once, workers)| Variant { workload, exactly_once, workers, processes: 1 }).collect::<Vec<_>>()
        };
        self.latency.iter().flat_map(variants).collect()
    }

    /// The variants of a workload: those asked for, else exactly-once with one worker; of W2 all four, and exactly-once in two processes.
    pub(crate) fn variants(&self, workload: Workload) -> Vec<Variant> {
        let is_w2 = workload == Workload::W2;
        let guarantees = match self.guarantees.as_slice() {
            [] if is_w2 => vec![true, false],
            [] => vec![true],
            named => named.iter().map(|name| name == EXACTLY).collect(),
        };
        let workers = match self.workers.as_slice() {
            [] if is_w2 => vec![1, 2],
            [] => vec![1],
            named => named.to_vec(),
        };
        let processes = if self.processes.is_empty() { &[1] } else { self.processes.as_slice() };
        let mut variants = Vec::new();
        for exactly_once in guarantees {
            for workers in &workers {
                variants.extend(processes.iter().map(|processes| Variant {
                    workload,
                    exactly_once,
                    workers: *workers,
                    processes: *processes,
                }));
            }
        }
        if is_w2 && self.workers.is_empty() && self.guarantees.is_empty() && self.processes.is_empty() {
            variants.push(Variant { processes: 2, ..Variant::KEYED_SUM });
        }
        variants
    }
}

impl Variant {
    /// What is run where one variant says enough.
    pub(crate) const KEYED_SUM: Variant = Variant { workload: Workload::W2, exactly_once: true, workers: 1, processes: 1 };

    pub(crate) fn guarantee(self) -> &'static str {
        if self.exactly_once { EXACTLY } else { AT_LEAST }
    }
}

/// A path; a relative one goes by where the command was given, as cargo runs this program somewhere else.
fn path(name: &str) -> Option<PathBuf> {
    let path = env::var_os(name).filter(|path| !path.is_empty())?;
    Some(env::var_os("PWD").map(PathBuf::from).unwrap_or_default().join(path))
}

/// A variable of the environment; one that is empty is not set.
fn one<T: FromStr<Err: Display>>(name: &str, default: T) -> Result<T, String> {
    match env::var(name) {
        Ok(text) if !text.is_empty() => text.parse().map_err(|error| format!("{name}={text}: {error}")),
        _ => Ok(default),
    }
}

/// The same with values between commas.
fn list<T: FromStr<Err: Display>>(name: &str, default: Vec<T>) -> Result<Vec<T>, String> {
    match env::var(name) {
        Ok(text) if !text.is_empty() => {
            text.split(',').map(|part| part.trim().parse().map_err(|error| format!("{name}={text}: {error}"))).collect()
        }
        _ => Ok(default),
    }
}
