use std::fs::{self, File};
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use headwater_kafka::{KafkaConfig, KafkaLog};

use crate::proxy::FaultProxy;
use crate::{kafka_jars, log_end, until};

/// From the start of the JVM to the first answer; 4 s on an idle machine.
const START: Duration = Duration::from_secs(60);
/// A small heap, and the quick compiler only: tests want a broker soon, not a fast one.
const JVM: &str = "-Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1";
const PROPERTIES: &str = include_str!("../../scripts/kafka/server.properties");
const LOG4J: &str = include_str!("../../scripts/kafka/log4j2.yaml");

/// What a test may want different from `scripts/kafka/server.properties`.
#[derive(Debug, Clone, Default)]
pub struct BrokerOptions {
    /// Lines of `server.properties` to add; of two lines with the same key the later one counts.
    pub properties: Vec<(&'static str, String)>,
    /// Feature versions to format the storage with, such as `group.version=0` for a cluster without KIP-848.
    pub features: Vec<&'static str>,
    /// Options of the broker's JVM, separated by blanks; the default is small and quick to start: `-Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1`.
    pub jvm: Option<String>,
    /// A proxy that the broker gives as its own address, so that all clients go through it.
    pub behind: Option<Arc<FaultProxy>>,
}

/// A real Apache Kafka of one node, with its data in a temporary directory. Ends when it is dropped, and also when this
/// process ends in any way: its guardian is a shell that kills it and removes the data once our pipe to it closes.
#[derive(Debug)]
pub struct KafkaBroker {
    directory: PathBuf,
    port: u16,
    guardian: Child,
    /// Holds the pipe open.
    pipe: Option<ChildStdin>,
}

impl KafkaBroker {
    /// Starts a broker and waits until it answers. Panics if the jars are missing or it does not come up.
    pub fn start() -> KafkaBroker {
        KafkaBroker::start_with(&BrokerOptions::default())
    }

    /// The same with other properties.
    pub fn start_with(options: &BrokerOptions) -> KafkaBroker {
        let libs = kafka_jars::directory();
        // Between our letting go of a free port and the broker's taking it, somebody else may: then another is tried.
        for attempt in 1.. {
            match KafkaBroker::try_start(&libs, options) {
                Ok(broker) => return broker,
                Err(log) => assert!(attempt < 3, "the Kafka broker did not start; the end of its log:\n{log}"),
            }
        }
        unreachable!("the loop above returns or panics")
    }

    /// One broker for all tests of this process, started by the first that asks. It ends with the process.
    pub fn shared() -> &'static KafkaBroker {
        static SHARED: OnceLock<KafkaBroker> = OnceLock::new();
        SHARED.get_or_init(KafkaBroker::start)
    }

    /// Its address, `127.0.0.1:port`.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The broker's process id, for tests that pause or kill it.
    pub fn pid(&self) -> u32 {
        until("the broker's pid", START, || fs::read_to_string(self.directory.join("pid")).ok()?.trim().parse().ok())
    }

    /// A client configuration with the defaults.
    pub fn config(&self) -> KafkaConfig {
        KafkaConfig::new(self.bootstrap())
    }

    /// The log port on this broker.
    pub fn log(&self) -> KafkaLog {
        KafkaLog::new(self.config()).expect("the default configuration is valid")
    }

    fn try_start(libs: &Path, options: &BrokerOptions) -> Result<KafkaBroker, String> {
        let directory = tempfile::Builder::new().prefix("headwater-kafka-").tempdir().expect("a temporary directory").keep();
        let (port, controller_port) = free_ports();
        let mut properties = PROPERTIES
            .replace("@PORT@", &port.to_string())
            .replace("@CONTROLLER_PORT@", &controller_port.to_string())
            .replace("@DATA@", &directory.join("data").display().to_string());
        for (key, value) in &options.properties {
            properties.push_str(&format!("\n{key}={value}\n"));
        }
        if let Some(proxy) = &options.behind {
            proxy.forward_to(&format!("127.0.0.1:{port}"));
            properties.push_str(&format!("\nadvertised.listeners=PLAINTEXT://{}\n", proxy.address()));
        }
        fs::write(directory.join("server.properties"), properties).expect("writing server.properties");
        fs::write(directory.join("log4j2.yaml"), LOG4J).expect("writing log4j2.yaml");
        let log = File::create(directory.join("broker.log")).expect("creating broker.log");
        let features: Vec<String> = options.features.iter().map(|feature| format!("--feature {feature}")).collect();
        let mut guardian = Command::new("sh")
            .args(["-c", GUARDIAN, "sh"])
            .arg(&directory)
            .arg(format!("{}/*", libs.display()))
            .arg(features.join(" "))
            .arg(options.jvm.as_deref().unwrap_or(JVM))
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a second handle on broker.log"))
            .stderr(log)
            .spawn()
            .expect("starting sh");
        let pipe = guardian.stdin.take();
        let mut broker = KafkaBroker { directory, port, guardian, pipe };
        broker.wait_until_ready()?;
        Ok(broker)
    }

    /// The end of the broker's log if it gave up.
    fn wait_until_ready(&mut self) -> Result<(), String> {
        let log = self.directory.join("broker.log");
        let up = until("the Kafka broker's start", START, || {
            let text = fs::read_to_string(&log).unwrap_or_default();
            if text.contains("Kafka Server started") {
                return Some(Ok(()));
            }
            let ended = self.guardian.try_wait().expect("looking after the guardian").is_some();
            ended.then(|| Err(log_end(&log)))
        });
        up?;
        KafkaLog::connect(self.config()).map(drop).map_err(|error| error.to_string())
    }
}

impl Drop for KafkaBroker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the end of the broker's log:\n{}", log_end(&self.directory.join("broker.log")));
        }
        drop(self.pipe.take());
        let _ = self.guardian.wait();
        // The guardian did it, unless the broker had ended before.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Arguments: directory, class path, features, options of the JVM. Deaf to the signals that a terminal or a time limit sends to the whole
/// process group: it must outlive the tests by the moment it takes to clean up. Its watcher ends it if the broker ends
/// by itself; the data then stays for the test to look at.
const GUARDIAN: &str = r#"
trap '' INT TERM HUP
java -XX:TieredStopAtLevel=1 -cp "$2" -Dlog4j2.configurationFile="$1/log4j2.yaml" kafka.tools.StorageTool format \
    -t aGVhZHdhdGVyLXRlc3QtMQ -c "$1/server.properties" $3 >"$1/format.log" 2>&1 || { cat "$1/format.log"; exit 1; }
java $4 -cp "$2" -Dlog4j2.configurationFile="$1/log4j2.yaml" \
    kafka.Kafka "$1/server.properties" </dev/null &
pid=$!
echo $pid >"$1/pid"
( guardian=$$; while kill -0 $pid 2>/dev/null; do sleep 1; done; kill -9 $guardian 2>/dev/null ) </dev/null &
watcher=$!
cat >/dev/null
kill -9 $watcher $pid 2>/dev/null
wait $pid 2>/dev/null
rm -rf "$1"
"#;

fn free_ports() -> (u16, u16) {
    let port = |listener: &TcpListener| -> io::Result<u16> { Ok(listener.local_addr()?.port()) };
    let (one, other) = (TcpListener::bind("127.0.0.1:0"), TcpListener::bind("127.0.0.1:0"));
    let (one, other) = (one.expect("a free port"), other.expect("a second free port"));
    (port(&one).expect("its number"), port(&other).expect("its number"))
}
