//! A child process is this binary running one test, told by an environment variable that it is the child.

use std::env;
use std::io::{BufRead, BufReader, Read, Write, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};

const ROOT: &str = "HEADWATER_TEST_CHILD_ROOT";
const MARK: &str = "child: ";

pub struct Child {
    process: process::Child,
    lines: BufReader<process::ChildStdout>,
}

/// The state root, if this is a child; children's tests do nothing otherwise.
pub fn child_root() -> Option<PathBuf> {
    env::var_os(ROOT).map(PathBuf::from)
}

/// Tells the parent something.
pub fn say(line: &str) {
    println!("{MARK}{line}");
    stdout().flush().unwrap();
}

/// Ends only by force, or when the parent is gone.
pub fn wait_to_be_killed() {
    stdin().read_to_end(&mut Vec::new()).unwrap();
}

impl Child {
    pub fn start(test: &str, root: &Path) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(ROOT, root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap());
        Self { process, lines }
    }

    /// The next `count` things the child said; fewer if it ended.
    pub fn read_lines(&mut self, count: usize) -> Vec<String> {
        // The test harness prints the name of the test without a newline in front of the first one.
        let said = self.lines.by_ref().lines().map_while(Result::ok);
        said.filter_map(|line| Some(line.split_once(MARK)?.1.to_owned())).take(count).collect()
    }

    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub fn succeeds(mut self) -> bool {
        self.lines.read_to_end(&mut Vec::new()).unwrap();
        self.process.wait().unwrap().success()
    }
}
