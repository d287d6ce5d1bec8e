use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::wait::until;

/// A running application. Killed when it is dropped, so that a failed test leaves nothing behind.
pub struct AppProcess {
    child: Child,
    lines: Receiver<String>,
    seen: Arc<Mutex<Vec<(Instant, String)>>>,
    /// Reads what it writes.
    reader: JoinHandle<()>,
}

impl AppProcess {
    /// Starts `binary` with these arguments; what it writes to stderr is kept.
    pub fn start(binary: &Path, arguments: &[&str]) -> AppProcess {
        let mut command = Command::new(binary);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
        let stderr = child.stderr.take().expect("stderr is piped");
        let (send, lines) = channel();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&seen);
        let reader = thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                keep.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), line.clone()));
                // The test may have stopped listening; the lines are kept all the same.
                let _ = send.send(line);
            }
        });
        AppProcess { child, lines, seen, reader }
    }

    /// Waits for a line of its log that contains `text`, and answers what follows `text` in it.
    pub fn wait_for(&self, text: &str, limit: Duration) -> String {
        let began = Instant::now();
        let found = until(&format!("the log says {text:?}"), limit * 2, || {
            let line = self.lines.try_iter().find(|line| line.contains(text));
            line.map(Some).or_else(|| (began.elapsed() > limit).then_some(None))
        });
        let line = found.unwrap_or_else(|| panic!("the log does not say {text:?} within {limit:?}:\n{}", self.log()));
        line.split_once(text).map(|(_, rest)| rest.to_owned()).unwrap_or_default()
    }

    /// Asks it to stop (SIGTERM).
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Asks it to stop, which it must do with success. Answers its log.
    #[track_caller]
    pub fn stop(mut self, limit: Duration) -> String {
        self.terminate();
        assert!(self.wait(limit).success(), "the application did not stop cleanly");
        self.log()
    }

    /// Ends it at once (SIGKILL).
    pub fn kill(&self) {
        self.signal("KILL");
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has ended.
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let ended = self.wait_quietly(limit);
        if !ended.success() {
            eprintln!("{}", self.log());
        }
        ended
    }

    /// The same, without a word about how it ended.
    pub fn wait_quietly(&mut self, limit: Duration) -> ExitStatus {
        let status = until("the application ends", limit, || self.child.try_wait().expect("a child can be waited for"));
        // Its last words come after it.
        until("the last of its log is read", limit, || self.reader.is_finished().then_some(()));
        status
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child can be waited for").is_none()
    }

    /// Everything it has written to stderr.
    pub fn log(&self) -> String {
        self.lines().into_iter().map(|(_, line)| line).collect::<Vec<_>>().join("\n")
    }

    /// The same line by line, each with the time at which it was seen.
    pub fn lines(&self) -> Vec<(Instant, String)> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends a signal, by its name without `SIG`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()), "SIG{name} could not be sent");
    }
}

impl Drop for AppProcess {
    fn drop(&mut self) {
        // Already ended is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
