//! A whole store read back from its changelog, beside Kafka Streams' restore of the same one.

use std::path::Path;
use std::process::{Command, Stdio};

use headwater_core::port::Log;
use headwater_core::port::{LogError, Producer, ProducerConfig};
use headwater_core::{Outgoing, Timestamp, TopicName};
use headwater_kafka::KafkaLog;

use super::findings::Findings;
use super::stage::create;
use crate::cluster::{Cluster, ClusterOptions, Guardian};
use crate::kafka_jars;

mod subject;

pub use subject::run_once;

/// Names of the application, its input and its store: both frameworks call the changelog by them.
const APP: &str = "restore";
const INPUT: &str = "restore-events";
const STORE: &str = "accounts";
const CHANGELOG: &str = "restore-accounts-changelog";
const PARTITIONS: i32 = 4;
const VALUE_BYTES: usize = 100;

/// How much of everything.
#[derive(Clone, Debug)]
pub struct Options {
    /// Keys in the store, each once in the changelog.
    pub keys: u64,
    /// How often each is run; the medians are compared.
    pub rounds: usize,
    /// Worker threads and stream threads.
    pub workers: usize,
    /// The peer's source file; none if it is not to be run.
    pub peer: Option<std::path::PathBuf>,
}

/// One restore that went well.
#[derive(Clone, Copy, Debug)]
pub struct Restored {
    /// From 1.
    pub round: usize,
    /// Whether it was Kafka Streams.
    pub is_peer: bool,
    /// Records.
    pub records: u64,
    /// From the first task's beginning to the last one's end.
    pub seconds: f64,
    /// User and system time of the whole process.
    pub cpu_seconds: f64,
    /// The largest resident size of the process, in MiB.
    pub peak_mib: f64,
}

impl Restored {
    fn records_per_second(&self) -> f64 {
        self.records as f64 / self.seconds
    }
}

/// Fills a changelog, then restores it in processes of their own, one at a time. `program` is the running binary: called with `restore-once` it
/// must call [`run_once`]. Each restore is told to `tell`.
pub fn run(program: &Path, options: &Options, mut tell: impl FnMut(&Restored)) -> Findings {
    let mut findings = Findings::new();
    let guardian = Guardian::new("headwater-proof-");
    let cluster = Cluster::start(&ClusterOptions { brokers: 1, properties: Vec::new() }, guardian.directory(), &guardian);
    let (log, bootstrap) = (cluster.log(), cluster.bootstrap());
    create(&log, INPUT, PARTITIONS, &[]);
    create(&log, CHANGELOG, PARTITIONS, &[("cleanup.policy", "compact"), ("retention.ms", "-1")]);
    fill(&log, options.keys).unwrap_or_else(|error| panic!("filling the changelog: {error}"));
    findings.note(format_args!("{} keys with values of {VALUE_BYTES} bytes in {CHANGELOG}", options.keys));

    let workers = options.workers.to_string();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=options.rounds {
        let state = guardian.directory().join(format!("state-{round}")).display().to_string();
        let mut command = Command::new(program);
        command.args(["restore-once", &bootstrap, &state, &workers]);
        let restored = measure((round, false), &mut command, options.keys, &guardian, &mut findings);
        restored.iter().for_each(&mut tell);
        ours.extend(restored.as_ref().map(Restored::records_per_second));
        if let Some(peer) = &options.peer {
            let state = guardian.directory().join(format!("peer-{round}")).display().to_string();
            let mut command = Command::new("java");
            command.args(["-Xmx1g", "-cp", &format!("{}/*", kafka_jars::directory().display())]).arg(peer);
            command.args([APP, INPUT, STORE, &bootstrap, &state, &workers]);
            let restored = measure((round, true), &mut command, options.keys, &guardian, &mut findings);
            restored.iter().for_each(&mut tell);
            theirs.extend(restored.as_ref().map(Restored::records_per_second));
        }
    }
    let median = |rates: &mut Vec<f64>| {
        rates.sort_by(f64::total_cmp);
        rates.get(rates.len() / 2).copied()
    };
    match (median(&mut ours), median(&mut theirs)) {
        (Some(ours), Some(theirs)) => findings.note(format_args!(
            "headwater {ours:.0} records/s, Kafka Streams {theirs:.0} records/s: {:.2} times as fast",
            ours / theirs
        )),
        (Some(ours), None) => findings.note(format_args!("headwater {ours:.0} records/s; Kafka Streams was not run")),
        (None, _) => findings.violation("nothing was restored"),
    }
    findings.conclude();
    findings
}

/// Runs one restore; its last line says what it did: `restored=N seconds=S ...`.
fn measure(
    (round, is_peer): (usize, bool),
    command: &mut Command,
    keys: u64,
    guardian: &Guardian,
    findings: &mut Findings,
) -> Option<Restored> {
    let who = if is_peer { "kafka-streams" } else { "headwater" };
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let child = child.unwrap_or_else(|error| panic!("{who} cannot be started: {error}"));
    let pid = child.id();
    guardian.watch(pid);
    let output = child.wait_with_output().expect("a child can be waited for");
    guardian.forget(pid);
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().rev().find(|line| line.starts_with("restored=")).unwrap_or_default();
    let number = |name: &str| line.split(' ').find_map(|field| field.strip_prefix(name)?.strip_prefix('=')?.parse::<f64>().ok());
    let (Some(restored), Some(seconds)) = (number("restored"), number("seconds")) else {
        findings.violation(format_args!("{who} failed ({}): {text}", output.status));
        return None;
    };
    findings.note(format_args!("{who}: {line}"));
    if restored as u64 != keys {
        findings.violation(format_args!("{who} restored {restored} of {keys} records"));
    }
    let (cpu_seconds, peak_mib) = (number("cpu_seconds")?, number("peak_rss_mib")?);
    Some(Restored { round, is_peer, records: restored as u64, seconds, cpu_seconds, peak_mib })
}

/// Every key once. What the values are matters to nobody who restores.
fn fill(log: &KafkaLog, keys: u64) -> Result<(), LogError> {
    let mut producer: Box<dyn Producer> = log.producer(&ProducerConfig { transactional_id: None })?;
    producer.init()?;
    let topic = TopicName::from(CHANGELOG);
    let mut random = ledger::Random::new(1);
    let mut value = [0; VALUE_BYTES];
    for key in 0..keys {
        // In no order, as accounts are touched; nor can the values be compressed away.
        let name = format!("{:016x}", key.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        value.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&random.bits().to_be_bytes()[..chunk.len()]));
        producer.send(Outgoing {
            topic: &topic,
            partition: (key % PARTITIONS as u64) as i32,
            key: Some(name.as_bytes()),
            value: Some(&value),
            timestamp: Timestamp::from_millis(1_700_000_000_000 + key as i64),
            headers: &[],
            track_offset: false,
        })?;
    }
    producer.flush()
}
