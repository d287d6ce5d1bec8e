use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use crate::cluster::Guardian;
use crate::wait::until;
use crate::{AppProcess, http};

const TAKEN: &str = "taking task over";
const PROCESSING: &str = "task is processing";
const CLOSED: &str = "task closed";
const ADMIN: &str = "admin pages at http://";

/// A process of the application, and what its log says when.
pub(super) struct Application {
    process: AppProcess,
    pub(super) began: Instant,
    guardian: Guardian,
}

impl Application {
    pub(super) fn start(program: &Path, bootstrap: &str, state: &Path, settings: &[String], guardian: &Guardian) -> Application {
        Application::start_as(&["run"], program, bootstrap, state, settings, guardian)
    }

    /// The same with another command.
    pub(super) fn start_as(
        command: &[&str],
        program: &Path,
        bootstrap: &str,
        state: &Path,
        settings: &[String],
        guardian: &Guardian,
    ) -> Application {
        let state = state.to_str().expect("a path in UTF-8");
        let mut arguments = [command, &["--bootstrap", bootstrap, "--state-dir", state, "--admin", "127.0.0.1:0"]].concat();
        settings.iter().for_each(|setting| arguments.extend(["--set", setting]));
        let began = Instant::now();
        let process = AppProcess::start(program, &arguments);
        guardian.watch(process.pid());
        Application { process, began, guardian: guardian.clone() }
    }

    /// Tasks and when they were assigned to the process.
    pub(super) fn taken(&self) -> BTreeMap<String, Instant> {
        self.tasks(TAKEN)
    }

    /// Tasks and when they began to process after that.
    pub(super) fn processing(&self) -> BTreeMap<String, Instant> {
        self.tasks(PROCESSING)
    }

    /// Tasks that process now: those that were given up since do not.
    pub(super) fn current(&self) -> BTreeSet<String> {
        let mut current = BTreeSet::new();
        for (_, line) in self.process.lines() {
            let Some(task) = field(&line, "task=") else { continue };
            if line.contains(PROCESSING) {
                current.insert(task);
            } else if line.contains(CLOSED) {
                current.remove(&task);
            }
        }
        current
    }

    /// The first time of each.
    fn tasks(&self, what: &str) -> BTreeMap<String, Instant> {
        let mut found = BTreeMap::new();
        for (at, line) in self.process.lines().into_iter().filter(|(_, line)| line.contains(what)) {
            if let Some(task) = field(&line, "task=") {
                found.entry(task).or_insert(at);
            }
        }
        found
    }

    /// When its log first had this.
    pub(super) fn first(&self, text: &str) -> Option<Instant> {
        self.process.lines().into_iter().find(|(_, line)| line.contains(text)).map(|(at, _)| at)
    }

    /// When it was up: it serves its admin pages before it joins the group.
    pub(super) fn up(&self) -> Option<Instant> {
        self.first(ADMIN)
    }

    /// Waits until as many tasks process.
    pub(super) fn wait_for_tasks(&mut self, count: usize, limit: Duration) {
        let began = Instant::now();
        until("the application's tasks process", limit * 2, || {
            assert!(self.process.is_running(), "the application ended:\n{}", self.process.log());
            assert!(began.elapsed() < limit, "not {count} tasks within {limit:?}:\n{}", self.process.log());
            (self.current().len() >= count).then_some(())
        });
    }

    /// Changelog records read back, by store; none if it does not serve its metrics (any more).
    pub(super) fn restored(&self) -> Option<BTreeMap<String, u64>> {
        let lines = self.process.lines();
        let address = lines.iter().find_map(|(_, line)| line.split_once(ADMIN).map(|(_, rest)| rest.to_owned()))?;
        let address = address.split(['/', ' ']).next()?.to_owned();
        let metrics = std::panic::catch_unwind(|| http::get(&address, "/metrics").1).ok()?;
        let mut stores = BTreeMap::new();
        for line in metrics.lines().filter(|line| line.starts_with("headwater_restore_records_total")) {
            let value: f64 = line.rsplit(' ').next()?.parse().ok()?;
            *stores.entry(field(line, "store=\"")?).or_default() += value as u64;
        }
        Some(stores)
    }

    pub(super) fn is_running(&mut self) -> bool {
        self.process.is_running()
    }

    /// SIGKILL; it is gone when this returns.
    pub(super) fn kill(&mut self) {
        self.process.kill();
        self.wait(Duration::from_secs(30));
    }

    /// SIGTERM.
    pub(super) fn terminate(&self) {
        self.process.terminate();
    }

    pub(super) fn wait(&mut self, limit: Duration) -> ExitStatus {
        let pid = self.process.pid();
        let status = self.process.wait_quietly(limit);
        self.guardian.forget(pid);
        status
    }

    pub(super) fn log(&self) -> String {
        self.process.log()
    }
}

/// The partitions that these tasks are of.
pub(super) fn partitions_of(tasks: &BTreeMap<String, Instant>) -> BTreeSet<i32> {
    tasks.keys().filter_map(|task| task.rsplit('-').next()?.parse().ok()).collect()
}

/// What follows `name` in a line, up to a blank, a comma or a quote.
fn field(line: &str, name: &str) -> Option<String> {
    let (_, rest) = line.split_once(name)?;
    rest.split([' ', ',', '"']).next().map(str::to_owned)
}
