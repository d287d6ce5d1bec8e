use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use super::disk::Disk;
use crate::cluster::{Guardian, signal};

/// What a process of the application is going through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// It is to run.
    Running,
    /// It stands still until then.
    Paused(Instant),
    /// It was asked to stop then, and starts again later or never.
    Stopping { since: Instant, comes_back: bool },
    /// Its disk is full since then: it is to end.
    Full(Instant),
    /// It has no process, and gets one then.
    Down(Instant),
    /// It has no process and gets none.
    Gone,
}

/// One process of the application, over all its lives.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) mode: Mode,
    pub(super) disk: Option<Disk>,
    /// Whether it came after the beginning and may leave for good.
    pub(super) is_extra: bool,
    arguments: Vec<String>,
    program: PathBuf,
    state: PathBuf,
    log: PathBuf,
    child: Option<Child>,
    lives: usize,
    guardian: Guardian,
}

/// What a member is made from.
pub(super) struct Role<'a> {
    pub(super) number: usize,
    pub(super) bootstrap: &'a str,
    pub(super) settings: &'a [String],
    /// A static member of the group.
    pub(super) is_static: bool,
    /// On a small disk of its own.
    pub(super) has_disk: bool,
    pub(super) is_extra: bool,
}

impl Member {
    pub(super) fn new(role: &Role<'_>, program: &Path, guardian: &Guardian) -> Member {
        let name = format!("app-{}", role.number);
        let home = guardian.directory().join(&name);
        let disk = role.has_disk.then(|| Disk::mount(&home, guardian));
        let state = home.join("state");
        let workers = (1 + role.number % 2).to_string();
        let mut arguments: Vec<String> =
            ["run", "--bootstrap", role.bootstrap, "--admin", "off", "--workers", &workers].map(String::from).to_vec();
        arguments.extend(["--state-dir".to_owned(), state.display().to_string()]);
        let instance = role.is_static.then(|| format!("run.instance={name}"));
        for setting in role.settings.iter().cloned().chain(instance) {
            arguments.extend(["--set".to_owned(), setting]);
        }
        Member {
            mode: Mode::Gone,
            disk,
            is_extra: role.is_extra,
            arguments,
            program: program.to_owned(),
            log: guardian.directory().join("logs").join(format!("{name}.log")),
            state,
            child: None,
            lives: 0,
            guardian: guardian.clone(),
            name,
        }
    }

    pub(super) fn start(&mut self) {
        self.lives += 1;
        let mut log = OpenOptions::new().create(true).append(true).open(&self.log).expect("opening a log");
        writeln!(log, "--- life {}: {}", self.lives, self.arguments.join(" ")).expect("writing a log");
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        self.guardian.watch(child.id());
        self.child = Some(child);
        self.mode = Mode::Running;
    }

    /// SIGKILL; it is gone when this returns.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            signal(child.id(), "KILL");
            child.wait().expect("waiting for a child");
            self.guardian.forget(child.id());
        }
    }

    /// Sends a signal to its process, if it has one.
    pub(super) fn signal(&self, name: &str) {
        self.child.as_ref().map(|child| signal(child.id(), name));
    }

    /// How its process ended, once.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.as_mut()?.try_wait().expect("looking after a child")?;
        if let Some(child) = self.child.take() {
            self.guardian.forget(child.id());
        }
        Some(status)
    }

    /// Removes its state directory.
    pub(super) fn wipe(&self) {
        if let Err(error) = fs::remove_dir_all(&self.state) {
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "removing {}: {error}", self.state.display());
        }
    }

    /// The last lines of its log.
    pub(super) fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(6)..].join("\n        | ")
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.kill();
    }
}
