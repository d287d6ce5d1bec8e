use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{Guardian, signal};
use crate::log_end;
use crate::wait::until;

const PROPERTIES: &str = include_str!("../../../scripts/kafka/server.properties");
const LOG4J: &str = include_str!("../../../scripts/kafka/log4j2.yaml");
const CLUSTER_ID: &str = "aGVhZHdhdGVyLWNoYW9zLQ";

/// One broker.
#[derive(Debug)]
pub struct Node {
    id: usize,
    port: u16,
    class_path: String,
    directory: PathBuf,
    child: Option<Child>,
    paused: bool,
    starts: usize,
    guardian: Guardian,
}

/// Whether a broker answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Its process runs.
    Up,
    /// Its process is stopped (SIGSTOP).
    Paused,
    /// It has no process.
    Down,
}

/// The two ports of a broker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    client: u16,
    controller: u16,
}

/// What a broker is made from.
pub(super) struct NodePlan<'a> {
    pub(super) index: usize,
    pub(super) ports: &'a [Ports],
    pub(super) libs: &'a Path,
    pub(super) directory: &'a Path,
    pub(super) properties: &'a [(&'static str, String)],
}

impl Node {
    /// Writes the broker's configuration and formats its storage.
    pub(super) fn prepare(plan: &NodePlan<'_>, guardian: &Guardian) -> Node {
        let id = plan.index + 1;
        let directory = plan.directory.join(format!("broker-{id}"));
        fs::create_dir_all(&directory).expect("creating a broker's directory");
        fs::write(directory.join("server.properties"), properties(plan, &directory)).expect("writing server.properties");
        fs::write(directory.join("log4j2.yaml"), LOG4J).expect("writing log4j2.yaml");
        let port = plan.ports[plan.index].client;
        let class_path = format!("{}/*", plan.libs.display());
        let node = Node { id, port, class_path, directory, child: None, paused: false, starts: 0, guardian: guardian.clone() };
        let mut format = node.java(&["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"]);
        let output = format.arg(node.directory.join("server.properties")).output().expect("running java");
        assert!(output.status.success(), "formatting broker {id}'s storage: {}", String::from_utf8_lossy(&output.stderr));
        node
    }

    /// Starts the process; it answers some seconds later.
    pub fn start(&mut self) {
        assert_eq!(self.condition(), Condition::Down, "broker {} runs already", self.id);
        self.starts += 1;
        let log = File::create(self.log_path()).expect("creating a broker's log");
        let mut command = self.java(&["kafka.Kafka"]);
        command.arg(self.directory.join("server.properties")).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("a second handle on the log")).stderr(log);
        let child = command.spawn().expect("starting java");
        self.guardian.watch(child.id());
        self.child = Some(child);
    }

    /// Whether the start has got so far that the broker serves.
    pub fn is_started(&self) -> bool {
        fs::read_to_string(self.log_path()).is_ok_and(|text| text.contains("Kafka Server started"))
    }

    /// Waits until it serves.
    pub fn wait_until_started(&mut self, limit: Duration) {
        until(&format!("the start of broker {}", self.id), limit, || {
            assert_eq!(self.condition(), Condition::Up, "broker {} gave up:\n{}", self.id, self.log_end());
            self.is_started().then_some(())
        });
    }

    /// Ends it at once (SIGKILL).
    pub fn kill(&mut self) {
        self.end("KILL");
    }

    /// Asks it to stop (SIGTERM), which hands its partitions over, and waits for its end; kills it when the limit is over.
    pub fn stop(&mut self, limit: Duration) {
        let Some(pid) = self.pid() else { return };
        signal(pid, "TERM");
        let began = std::time::Instant::now();
        until("the broker stops or its time is over", limit * 2, || {
            (self.condition() == Condition::Down || began.elapsed() > limit).then_some(())
        });
        self.kill();
    }

    /// Stops its process in its tracks (SIGSTOP).
    pub fn pause(&mut self) {
        self.paused = self.pid().is_some_and(|pid| signal(pid, "STOP"));
    }

    /// Lets it go on (SIGCONT).
    pub fn resume(&mut self) {
        self.pid().map(|pid| signal(pid, "CONT"));
        self.paused = false;
    }

    /// How it is.
    pub fn condition(&mut self) -> Condition {
        let ended = self.child.as_mut().map(|child| child.try_wait().expect("looking after a child").is_some());
        match ended {
            Some(false) if self.paused => Condition::Paused,
            Some(false) => Condition::Up,
            Some(true) | None => {
                if let Some(child) = self.child.take() {
                    self.guardian.forget(child.id());
                }
                Condition::Down
            }
        }
    }

    /// Its number, from 1.
    pub fn id(&self) -> usize {
        self.id
    }

    /// The end of its log.
    pub fn log_end(&self) -> String {
        log_end(&self.log_path())
    }

    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    fn end(&mut self, name: &str) {
        let Some(mut child) = self.child.take() else { return };
        signal(child.id(), name);
        child.wait().expect("waiting for a child");
        self.guardian.forget(child.id());
        self.paused = false;
    }

    fn log_path(&self) -> PathBuf {
        self.directory.join(format!("broker.{}.log", self.starts))
    }

    /// A small heap, and the quick compiler only: several brokers share a machine with what they are to test.
    fn java(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("java");
        command.args(["-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", &self.class_path]);
        command.arg(format!("-Dlog4j2.configurationFile={}", self.directory.join("log4j2.yaml").display()));
        command.args(arguments);
        command
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

fn properties(plan: &NodePlan<'_>, directory: &Path) -> String {
    let Ports { client, controller } = plan.ports[plan.index];
    let voter = |(index, ports): (usize, &Ports)| format!("{}@127.0.0.1:{}", index + 1, ports.controller);
    let voters: Vec<String> = plan.ports.iter().enumerate().map(voter).collect();
    let replicas = plan.ports.len().min(3);
    let in_sync = replicas.saturating_sub(1).max(1);
    let mut text = PROPERTIES
        .replace("@PORT@", &client.to_string())
        .replace("@CONTROLLER_PORT@", &controller.to_string())
        .replace("@DATA@", &directory.join("data").display().to_string());
    let mut set = |key: &str, value: &str| text.push_str(&format!("\n{key}={value}\n"));
    set("node.id", &(plan.index + 1).to_string());
    set("controller.quorum.voters", &voters.join(","));
    for key in ["default.replication.factor", "offsets.topic.replication.factor", "transaction.state.log.replication.factor"] {
        set(key, &replicas.to_string());
    }
    set("min.insync.replicas", &in_sync.to_string());
    set("transaction.state.log.min.isr", &in_sync.to_string());
    // A dead broker is missed within these instead of nine and thirty seconds.
    set("broker.session.timeout.ms", "6000");
    set("broker.heartbeat.interval.ms", "1000");
    set("replica.lag.time.max.ms", "10000");
    for (key, value) in plan.properties {
        set(key, value);
    }
    text
}

/// Free ports below those the system hands out by itself: a broker must find its own again after it was down for a while.
pub(super) fn free_ports(nodes: usize) -> Vec<Ports> {
    let begin = 15_000 + (std::process::id() % 1500) as u16 * 10;
    let mut free = (begin..32_000).filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    let mut next = || free.next().expect("a free port below 32000");
    (0..nodes).map(|_| Ports { client: next(), controller: next() }).collect()
}
