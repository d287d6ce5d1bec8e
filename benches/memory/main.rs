//! Whether a process stays within `memory.limit`: 64 tasks with 3 stores each, first under load, then restoring everything after its
//! disk was lost. `make bench-memory`; `LIMIT=512MiB EVENTS=3000000 WORKERS=2` are the defaults.
//!
//! This program is both: the application, when it is called with `run`, and what starts, fills and watches it.

mod app;
mod resident;

use std::env;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use headwater_core::port::{Ends, Log, NewTopic, ProducerConfig, ReaderConfig};
use headwater_core::{Outgoing, Timestamp, TopicName, TopicPartition, partition_for};
use headwater_kafka::KafkaLog;
use headwater_tests::{KafkaBroker, until};
use resident::Peak;

/// How far above its limit a process may be.
const TOLERANCE: f64 = 1.15;
/// Bytes of an event's value; what the stores keep is as large.
const VALUE: usize = 300;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    if arguments.get(1).is_some_and(|first| first == "run") {
        return app::main();
    }
    let limit = setting("LIMIT", "512MiB");
    let events: usize = setting("EVENTS", "3000000").parse().expect("EVENTS is a number");
    let broker = KafkaBroker::start();
    let log = broker.log();
    create_input(&log);
    let state = tempfile::tempdir().expect("a temporary directory");

    println!("{} tasks x 3 stores, memory.limit={limit}, {events} events of {VALUE} bytes", app::PARTITIONS);
    let under_load = {
        let mut process = Process::start(&broker.bootstrap(), state.path(), &limit);
        send(&log, events);
        process.watch("under load", || backlog(&log) == 0)
    };
    let records = changelog_records(&log);
    std::fs::remove_dir_all(state.path()).expect("the state can be removed");
    let began = Instant::now();
    let restoring = {
        let mut process = Process::start(&broker.bootstrap(), state.path(), &limit);
        process.watch("restoring", process_is_ready)
    };
    let seconds = began.elapsed().as_secs_f64();
    println!("restored {records} changelog offsets in {seconds:.1} s, start included");

    let limit_bytes = bytes(&limit);
    let worst = under_load.bytes.max(restoring.bytes) as f64 / limit_bytes as f64;
    println!("worst: {worst:.2} x the limit, {TOLERANCE} is allowed");
    if worst <= TOLERANCE { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

fn bytes(size: &str) -> u64 {
    let number: u64 = size.trim_end_matches("MiB").parse().expect("LIMIT is a number of MiB, such as 512MiB");
    number << 20
}

fn create_input(log: &KafkaLog) {
    let config = [("retention.ms".to_owned(), "-1".to_owned())].into();
    let topic = NewTopic { name: app::INPUT.to_owned(), partitions: app::PARTITIONS, replication: None, config };
    log.admin().and_then(|mut admin| admin.create(&[topic])).expect("the input can be created");
}

/// Events whose keys come in no order, a third of them again.
fn send(log: &KafkaLog, events: usize) {
    let mut producer = log.producer(&ProducerConfig { transactional_id: None }).expect("a producer");
    let topic: TopicName = app::INPUT.into();
    for number in 0..events {
        let key = format!("{:016x}", (number as u64 % (events as u64 * 2 / 3)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let noise: String = (0..VALUE / 16)
            .map(|n| format!("{:016x}", (number as u64 + 1).wrapping_mul(n as u64 + 3).wrapping_mul(0x5851_f42d_4c95_7f2d)))
            .collect();
        let value = format!("\"{noise}\"");
        let partition = partition_for(Some(key.as_bytes()), app::PARTITIONS, 0);
        let (key, value, timestamp) = (Some(key.as_bytes()), Some(value.as_bytes()), Timestamp::from_millis(number as i64));
        producer
            .send(Outgoing { topic: &topic, partition, key, value, timestamp, headers: &[], track_offset: false })
            .expect("the broker takes events");
    }
    producer.flush().expect("the broker has the events");
}

fn partitions(topic: &str) -> Vec<TopicPartition> {
    (0..app::PARTITIONS).map(|partition| TopicPartition::new(topic, partition)).collect()
}

/// Events not processed and committed yet.
fn backlog(log: &KafkaLog) -> i64 {
    let config = ReaderConfig { group: app::NAME.to_owned(), read_uncommitted: false };
    let mut reader = log.reader(&config).expect("a reader");
    let partitions = partitions(app::INPUT);
    let committed = reader.committed(&partitions).expect("positions");
    let ends = reader.ends(&partitions).expect("ends");
    ends.iter().zip(committed).map(|(Ends { start, end }, at)| end - at.map_or(*start, |at| at.offset)).sum()
}

fn changelog_records(log: &KafkaLog) -> i64 {
    let config = ReaderConfig { group: app::NAME.to_owned(), read_uncommitted: true };
    let mut reader = log.reader(&config).expect("a reader");
    let of = |store: &&str| reader.ends(&partitions(&format!("{}-{store}-changelog", app::NAME))).expect("ends");
    app::STORES.iter().flat_map(of).map(|Ends { start, end }| end - start).sum()
}

/// Whether the application answers that all its tasks are processing.
fn process_is_ready() -> bool {
    std::panic::catch_unwind(|| headwater_tests::get(&format!("127.0.0.1:{}", app::ADMIN_PORT), "/readyz"))
        .is_ok_and(|(code, body)| code == 200 && body.contains(&format!("\"running_tasks\":{},", app::PARTITIONS)))
}

/// The application, ended when this is dropped.
struct Process(Child);

impl Process {
    fn start(bootstrap: &str, state: &Path, limit: &str) -> Process {
        let program = env::current_exe().expect("this program has a path");
        let child = Command::new(program)
            .args(["run", "--bootstrap", bootstrap, "--workers", &setting("WORKERS", "2")])
            .arg("--state-dir")
            .arg(state)
            .args(["--admin", &format!("127.0.0.1:{}", app::ADMIN_PORT), "--log-filter", &setting("LOG", "warn")])
            .args(["--set", &format!("memory.limit={limit}")])
            .stdin(Stdio::null())
            .spawn()
            .expect("this program can be started again");
        Process(child)
    }

    /// Looks at its memory until `done`, and tells the most it saw.
    fn watch(&mut self, what: &str, done: impl Fn() -> bool) -> Peak {
        let began = Instant::now();
        let mut peak = Peak::default();
        let mut looked = Instant::now();
        until(what, Duration::from_secs(1800), || {
            peak.look(self.0.id());
            assert!(self.0.try_wait().expect("a child can be asked").is_none(), "the application ended by itself");
            if looked.elapsed() < Duration::from_secs(1) {
                return None;
            }
            looked = Instant::now();
            done().then_some(())
        });
        println!(
            "{what}: at most {} MiB resident and {} open files, {:.0} s",
            peak.bytes >> 20,
            peak.files,
            began.elapsed().as_secs_f64()
        );
        peak
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }
}
