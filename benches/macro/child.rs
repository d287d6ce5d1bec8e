use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use headwater_tests::cluster::{Guardian, signal};
use headwater_tests::until;

use crate::procfs::{self, Stat};

/// Between two looks at something that costs the broker or us a moment.
const LOOK: Duration = Duration::from_millis(50);
/// For a process that was asked to stop.
const STOP: Duration = Duration::from_secs(90);

/// A contender's process. Killed when it is dropped, and by the guardian when this process ends in whatever way.
pub(crate) struct Running {
    child: Child,
    guardian: Guardian,
    log: PathBuf,
    began: Instant,
    began_at: i64,
    peak_kib: u64,
}

/// How processes end that were asked to by a signal; a JVM with the second one, whatever it did before.
pub(crate) const STOPPED: [i32; 2] = [0, 143];

/// What a process has used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) began: Instant,
    /// Milliseconds since 1970.
    pub(crate) began_at: i64,
    /// From its start to its end, or to what was waited for.
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_mib: u64,
}

impl Usage {
    /// With what another process used beside it.
    pub(crate) fn and(self, other: Usage) -> Usage {
        Usage { cpu_seconds: self.cpu_seconds + other.cpu_seconds, peak_mib: self.peak_mib + other.peak_mib, ..self }
    }
}

impl Running {
    /// Starts it; what it prints goes to `log`.
    pub(crate) fn start(mut command: Command, log: &Path, guardian: &Guardian) -> Result<Running, String> {
        let name = command.get_program().display().to_string();
        let file = File::create(log).map_err(|error| format!("{}: {error}", log.display()))?;
        let again = file.try_clone().map_err(|error| format!("{}: {error}", log.display()))?;
        #[allow(clippy::disallowed_methods, reason = "the broker's append times are compared with it")]
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let began = Instant::now();
        let child = command.stdout(again).stderr(file).spawn().map_err(|error| format!("{name} cannot be started: {error}"))?;
        guardian.watch(child.id());
        let began_at = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        Ok(Running { child, guardian: guardian.clone(), log: log.to_owned(), began, began_at, peak_kib: 0 })
    }

    /// Waits until it has ended by itself, with success, unless `fine` says before that it cannot.
    pub(crate) fn end(self, limit: Duration, mut fine: impl FnMut() -> Result<(), String>) -> Result<Usage, String> {
        self.watch(limit, |_| fine().map(|()| false)).and_then(|(running, seconds)| running.conclude(seconds, &[0]))
    }

    /// Waits until `done`, asks it to stop, and waits for that.
    pub(crate) fn stop_when(self, limit: Duration, mut done: impl FnMut() -> Result<bool, String>) -> Result<Usage, String> {
        let (running, seconds) =
            self.watch(limit, |stat| if stat.is_ended() { Err("it ended by itself".to_owned()) } else { done() })?;
        Ok(Usage { seconds, ..running.stop(&STOPPED)? })
    }

    /// An error, with the end of its log, if it has ended.
    pub(crate) fn goes_on(&self) -> Result<(), String> {
        match procfs::stat(self.child.id()).filter(|stat| !stat.is_ended()) {
            Some(_) => Ok(()),
            None => Err(format!("it has ended; the end of its log:\n{}", self.log_end())),
        }
    }

    /// Asks it to stop, and waits for that; it must end with one of these codes.
    pub(crate) fn stop(self, codes: &[i32]) -> Result<Usage, String> {
        signal(self.child.id(), "TERM");
        let (running, seconds) = self.watch(STOP, |_| Ok(false)).map_err(|error| format!("asked to stop: {error}"))?;
        running.conclude(seconds, codes)
    }

    /// Looks at it until it has ended or `done` says so. Answers when that was, in seconds from its start.
    fn watch(mut self, limit: Duration, mut done: impl FnMut(Stat) -> Result<bool, String>) -> Result<(Running, f64), String> {
        let (began, mut looked) = (Instant::now(), None::<Instant>);
        let watched = until("a contender's end", limit + STOP, || {
            let stat = procfs::stat(self.child.id())?;
            let is_time = looked.is_none_or(|looked| looked.elapsed() >= LOOK);
            if !stat.is_ended() && !is_time {
                return None;
            }
            looked = Some(Instant::now());
            self.peak_kib = self.peak_kib.max(procfs::peak_kib(self.child.id()));
            match done(stat) {
                Ok(false) if stat.is_ended() => Some(Ok(())),
                Ok(false) if began.elapsed() > limit => Some(Err(format!("not done within {limit:?} (LIMIT=seconds)"))),
                Ok(false) => None,
                Ok(true) => Some(Ok(())),
                Err(error) => Some(Err(error)),
            }
        });
        match watched {
            Ok(()) => {
                let seconds = self.began.elapsed().as_secs_f64();
                Ok((self, seconds))
            }
            Err(error) => Err(format!("{error}; the end of its log:\n{}", self.log_end())),
        }
    }

    /// It has ended and was not waited for yet: what it used is still there.
    fn conclude(mut self, seconds: f64, codes: &[i32]) -> Result<Usage, String> {
        let cpu_seconds = procfs::stat(self.child.id()).map_or(0.0, |stat| stat.cpu_seconds);
        let status: ExitStatus = self.child.wait().map_err(|error| format!("it cannot be waited for: {error}"))?;
        self.guardian.forget(self.child.id());
        if !status.code().is_some_and(|code| codes.contains(&code)) {
            return Err(format!("it failed ({status}); the end of its log:\n{}", self.log_end()));
        }
        Ok(Usage { began: self.began, began_at: self.began_at, seconds, cpu_seconds, peak_mib: self.peak_kib / 1024 })
    }

    fn log_end(&self) -> String {
        headwater_tests::log_end(&self.log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has been waited for is left alone by both.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.guardian.forget(self.child.id());
    }
}
