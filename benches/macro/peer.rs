use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use headwater_tests::cluster::Guardian;
use headwater_tests::kafka_jars;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peer/Streams.java");
const MAIN: &str = "Streams";

/// Kafka Streams' side, compiled once.
pub(crate) struct Peer {
    classes: PathBuf,
    class_path: String,
}

impl Peer {
    /// Compiles it into the guardian's directory. The compiler is the one in Java's own modules: there need not be a `javac`.
    pub(crate) fn compile(guardian: &Guardian) -> Result<Peer, String> {
        let classes = guardian.directory().join("classes");
        fs::create_dir_all(&classes).map_err(|error| format!("{}: {error}", classes.display()))?;
        let libs = kafka_jars::directory();
        let entries = fs::read_dir(&libs).map_err(|error| format!("{}: {error}", libs.display()))?;
        let jars: Vec<String> = entries.flatten().map(|entry| entry.path().display().to_string()).collect();
        let class_path = jars.join(":");
        let mut compiler = Command::new("java");
        compiler.args(["-m", "jdk.compiler/com.sun.tools.javac.Main", "-cp", &class_path, "-d"]).arg(&classes).arg(SOURCE);
        let child = compiler.stdin(Stdio::null()).stderr(Stdio::piped()).spawn();
        let child = child.map_err(|error| format!("java cannot be run (make setup installs it): {error}"))?;
        let pid = child.id();
        guardian.watch(pid);
        let output = child.wait_with_output().map_err(|error| format!("the compiler cannot be waited for: {error}"))?;
        guardian.forget(pid);
        if !output.status.success() {
            return Err(format!("{SOURCE} does not compile:\n{}", String::from_utf8_lossy(&output.stderr)));
        }
        Ok(Peer { classes, class_path })
    }

    /// A process of it with a heap of at most so many MiB.
    pub(crate) fn command(&self, memory: u64) -> Command {
        let mut command = Command::new("java");
        command.arg(format!("-Xmx{memory}m")).arg("-cp").arg(format!("{}:{}", self.classes.display(), self.class_path)).arg(MAIN);
        command
    }
}
