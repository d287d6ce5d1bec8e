//! Backfills of the flights application: any number of processes, killed at random, come to what the live run wrote.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use headwater::{Backlog, Blueprint};
use headwater_kafka::KafkaLog;
use serde_json::Value;

use super::findings::Findings;
use crate::AppProcess;
use crate::cluster::{Cluster, ClusterOptions, Guardian};
use crate::wait::until;

const LONG: Duration = Duration::from_secs(300);
/// How long the group waits for a killed process.
const SESSION: &str = "6000";
/// Input records a second, all processes together: slow enough to be killed in the middle.
const RATE: u64 = 9_000;

/// How much of everything.
#[derive(Clone, Debug)]
pub struct Options {
    /// Decides the moments.
    pub seed: u64,
    /// Kills in each run.
    pub kills: u64,
    /// June is done once by each of these numbers of processes.
    pub processes: Vec<usize>,
    /// Whether the whole year is done, too.
    pub whole_year: bool,
}

struct Stage {
    program: PathBuf,
    bootstrap: String,
    log: KafkaLog,
    guardian: Guardian,
    findings: Findings,
    random: ledger::Random,
    _cluster: Cluster,
}

/// Runs the proof with the application's binary. Panics if the broker cannot be started or the application does not.
pub fn run(flights: &Path, options: &Options) -> Findings {
    let guardian = Guardian::new("headwater-proof-");
    let properties = ["group.consumer.min.session.timeout.ms", "group.consumer.session.timeout.ms"]
        .map(|name| (name, SESSION.to_owned()))
        .to_vec();
    let cluster = Cluster::start(&ClusterOptions { brokers: 1, properties }, guardian.directory(), &guardian);
    let mut stage = Stage {
        program: flights.to_owned(),
        bootstrap: cluster.bootstrap(),
        log: cluster.log(),
        guardian,
        findings: Findings::new(),
        random: ledger::Random::new(options.seed),
        _cluster: cluster,
    };
    stage.live();
    for processes in &options.processes {
        stage.june(*processes, options.kills);
    }
    if options.whole_year {
        stage.whole_year();
    }
    let Stage { findings, .. } = stage;
    findings.conclude();
    findings
}

impl Stage {
    /// The year, loaded and processed as it would be live.
    fn live(&mut self) {
        let (code, _, errors) = self.call(&["load"]);
        assert!(code == 0, "loading failed: {errors}");
        let state = self.state("live");
        let mut process = self.start(&["run", "--state-dir", &state, "--admin", "off"]);
        let blueprint = Blueprint::of("flights", flights::topology).expect("the topology is valid");
        let counts = ["flights", "airlines"].map(|topic| (topic.to_owned(), flights::load::DEFAULT_PARTITIONS)).into();
        let plan = blueprint.plan(&counts).expect("the topology fits");
        let mut backlog = Backlog::of(&plan, &self.log).expect("the broker is up");
        until("the live run has processed the year", LONG, || {
            assert!(process.is_running(), "the live run ended:\n{}", process.log());
            // Until it has run there is nothing to ask about.
            backlog.remaining().ok().filter(|remaining| *remaining == 0 && process.log().contains("task is processing"))
        });
        process.stop(LONG);
        self.findings.note("the live run has processed the year");
    }

    /// June by so many processes, killed again and again, compared.
    fn june(&mut self, processes: usize, kills: u64) {
        let (id, rate) = (format!("june-{processes}"), (RATE / processes as u64).to_string());
        let start = |stage: &Stage, number: usize| {
            let state = stage.state(&format!("{id}-{number}"));
            let range = ["backfill", "--from", "2013-06-01", "--to", "2013-07-01", "--outputs", "flights.hourly"];
            let rest = ["--warmup", "2d", "--mode", "diff", "--id", &id, "--max-rate", &rate, "--state-dir", &state];
            stage.start(&[&range[..], &rest[..]].concat())
        };
        let began = Instant::now();
        let mut running: Vec<AppProcess> = (0..processes).map(|number| start(self, number)).collect();
        let mut killed = 0;
        while killed < kills {
            let (pause, victim) = (300 + self.random.below(1_500), self.random.below(processes as u64) as usize);
            let until_then = Instant::now() + Duration::from_millis(pause);
            until("the moment has come", LONG, || (Instant::now() >= until_then).then_some(()));
            if !running[victim].is_running() {
                break;
            }
            running[victim].kill();
            running[victim].wait_quietly(LONG);
            self.guardian.forget(running[victim].pid());
            running[victim] = start(self, victim);
            killed += 1;
        }
        for process in &mut running {
            let status = process.wait(LONG);
            self.guardian.forget(process.pid());
            if !status.success() {
                self.findings.violation(format_args!("a process of {id} ended with {status}:\n{}", process.log()));
            }
        }
        let took = began.elapsed();
        let (code, report, errors) = self.call(&["backfill", "--id", &id, "--report", "json"]);
        let report: Value = serde_json::from_str(&report).unwrap_or_default();
        let (compared, different) = (&report["compared"]["flights.hourly"], &report["different"]["flights.hourly"]);
        self.findings.note(format_args!(
            "June by {processes} processes, {killed} kills, {:.1} s: {compared} windows compared, {different} differ",
            took.as_secs_f64()
        ));
        if code != 0 || *different != 0 || compared.as_u64().unwrap_or(0) < 1_000 {
            self.findings.violation(format_args!("{id} ended with {code}: {report} {errors}"));
        }
        if killed < kills {
            self.findings.violation(format_args!("{id} was over after {killed} kills"));
        }
        self.clean(&id);
    }

    /// The whole year, compared, and into new topics: both come to the same.
    fn whole_year(&mut self) {
        let mut digests = Vec::new();
        for (id, how) in [("year-diff", ["--mode", "diff"]), ("year-again", ["--output-suffix", ".again"])] {
            let began = Instant::now();
            let state = self.state(id);
            let range = ["backfill", "--from", "earliest", "--to", "now", "--id", id, "--parallel", "2", "--report", "json"];
            let (code, report, errors) = self.call(&[&range[..], &how[..], &["--state-dir", &state]].concat());
            let report: Value = serde_json::from_str(&report).unwrap_or_default();
            let (digest, differing) = (report["digest"].to_string(), report["different"].to_string());
            self.findings
                .note(format_args!("{id}: {:.1} s, digest {digest}, differences {differing}", began.elapsed().as_secs_f64()));
            if code != 0 {
                self.findings.violation(format_args!("{id} ended with {code}: {errors}"));
            }
            digests.push(digest);
            self.clean(id);
        }
        if digests[0] != digests[1] || digests[0] == "null" {
            self.findings.violation("the whole year came to something else in new topics");
        }
    }

    fn clean(&mut self, id: &str) {
        // A process that was killed is a member until its session ends.
        until("the run can be removed", LONG, || (self.call(&["backfill", "clean", id]).0 == 0).then_some(()));
    }

    fn state(&self, name: &str) -> String {
        self.guardian.directory().join("state").join(name).display().to_string()
    }

    fn start(&self, arguments: &[&str]) -> AppProcess {
        let process = AppProcess::start(&self.program, &[arguments, &["--bootstrap", &self.bootstrap]].concat());
        self.guardian.watch(process.pid());
        process
    }

    /// Runs a command to its end. Answers exit code, stdout and stderr.
    fn call(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(&self.program);
        command.args(arguments).args(["--bootstrap", &self.bootstrap]);
        if !arguments.contains(&"--state-dir") && arguments[0] == "backfill" {
            command.args(["--state-dir", &self.state("looking")]);
        }
        let output = command.output().unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
    }
}
