//! A real Kafka cluster whose brokers can be killed, paused and started again while it is used.

mod guardian;
mod node;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use headwater_kafka::{KafkaConfig, KafkaLog};

pub use guardian::Guardian;
pub use node::{Condition, Node};
use node::{NodePlan, Ports};

use crate::kafka_jars;

/// From the start of the JVMs to the first answer; 8 s for three on an idle machine.
const START: Duration = Duration::from_secs(120);

/// What kind of cluster.
#[derive(Clone, Debug)]
pub struct ClusterOptions {
    /// How many brokers. With three or more every topic has three replicas, two of which must have a record before it counts.
    pub brokers: usize,
    /// Lines of `server.properties` to add; of two lines with the same key the later one counts.
    pub properties: Vec<(&'static str, String)>,
}

/// Brokers of one cluster, each of them controller too. Everything ends and its data is removed with the [`Guardian`].
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Node>,
}

impl Cluster {
    /// Starts a cluster with its data in `directory` and waits until it answers. Panics if the jars are missing or it does not come up.
    pub fn start(options: &ClusterOptions, directory: &Path, guardian: &Guardian) -> Cluster {
        let libs = kafka_jars::directory();
        let ports: Vec<Ports> = node::free_ports(options.brokers);
        let nodes: Vec<Node> = (0..options.brokers)
            .map(|index| {
                let plan = NodePlan { index, ports: &ports, libs: &libs, directory, properties: &options.properties };
                Node::prepare(&plan, guardian)
            })
            .collect();
        let mut cluster = Cluster { nodes };
        for node in &mut cluster.nodes {
            node.start();
        }
        for node in &mut cluster.nodes {
            node.wait_until_started(START);
        }
        // The brokers know each other when a client can be told about the whole cluster.
        cluster.log();
        cluster
    }

    /// The addresses of all brokers.
    pub fn bootstrap(&self) -> String {
        self.nodes.iter().map(Node::address).collect::<Vec<_>>().join(",")
    }

    /// The log port on this cluster, with the defaults.
    pub fn log(&self) -> KafkaLog {
        KafkaLog::connect(KafkaConfig::new(self.bootstrap()))
            .unwrap_or_else(|error| panic!("the cluster does not answer: {error}"))
    }

    /// The brokers.
    pub fn nodes(&mut self) -> &mut [Node] {
        &mut self.nodes
    }
}

/// Sends a signal, by its name without `SIG`. False if there is no such process.
pub fn signal(pid: u32, name: &str) -> bool {
    Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().is_ok_and(|status| status.success())
}
