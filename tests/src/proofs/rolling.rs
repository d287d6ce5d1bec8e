//! A rolling restart, a member that leaves, a member that is killed: how long an output partition gets nothing.

use std::path::Path;
use std::time::{Duration, Instant};

use super::application::{Application, partitions_of};
use super::changelogs::{Changelogs, Ends, written};
use super::findings::Findings;
use super::gaps::Gaps;
use super::generator::{Flow, Generator};
use super::stage::Stage;
use crate::wait::until;

const SESSION: Duration = Duration::from_secs(6);
const LONG: Duration = Duration::from_secs(120);
const PARTITIONS: i32 = 6;
const MEMBERS: usize = 3;
/// Tasks of each: there are two sub-topologies.
const EACH: usize = 2 * PARTITIONS as usize / MEMBERS;
/// After each change: until things are as they were.
const SETTLE: Duration = Duration::from_secs(8);
/// Beyond the restart itself.
const STATIC: Duration = Duration::from_secs(2);
const LEAVES: Duration = Duration::from_secs(3);
const KILLED: Duration = Duration::from_secs(5);

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Decides the transfers.
    pub seed: u64,
    /// Accounts the transfers are spread over.
    pub accounts: u64,
    /// Transfers per second.
    pub rate: u64,
}

struct Roll {
    stage: Stage,
    gaps: Gaps,
    logs: Changelogs,
    findings: Findings,
}

/// Runs the proof with the application's binary. Panics if the broker cannot be started or the application does not.
pub fn run(ledger: &Path, options: &Options) -> Findings {
    let stage = Stage::open(ledger, PARTITIONS, SESSION);
    let mut members: Vec<Application> = (1..=MEMBERS).map(|number| start_static(&stage, number)).collect();
    members.iter_mut().for_each(|member| member.wait_for_tasks(EACH, LONG));
    let flow = Flow {
        seed: options.seed,
        accounts: options.accounts,
        partitions: PARTITIONS,
        at_once: options.accounts,
        rate: options.rate,
    };
    let generator = Generator::start(stage.log.clone(), flow);
    let gaps = Gaps::watch(&stage.log, ledger::BALANCES, PARTITIONS).unwrap_or_else(|error| panic!("watching: {error}"));
    let logs = Changelogs::watch(&stage.log, PARTITIONS).unwrap_or_else(|error| panic!("watching the changelogs: {error}"));
    let mut roll = Roll { stage, gaps, logs, findings: Findings::new() };
    until("the accounts are there", LONG, || (generator.written() > options.accounts).then_some(()));
    roll.stage.wait_for_backlog(2 * options.rate, "the members keep up");
    let began = Instant::now();
    settle();
    let (gap, place) = roll.gaps.longest(began + SETTLE / 2, Instant::now());
    roll.findings.note(format_args!("nothing happens: the longest gap is {:.2} s, {place}", gap.as_secs_f64()));

    for (index, member) in members.iter_mut().enumerate() {
        roll.restart(index + 1, member);
    }
    roll.leave();
    roll.kill();
    let Roll { stage, mut findings, gaps, logs } = roll;
    let written = generator.stop();
    stage.wait_for_backlog(0, "everything is consumed");
    drop((gaps, logs));
    members.iter().for_each(Application::terminate);
    for member in &mut members {
        let status = member.wait(LONG);
        if !status.success() {
            findings.violation(format_args!("a member did not stop cleanly ({status}):\n{}", member.log()));
        }
    }
    findings.note(format_args!("{written} transfers"));
    stage.judge(&mut findings);
    findings.conclude();
    findings
}

fn start_static(stage: &Stage, number: usize) -> Application {
    stage.start(&format!("static-{number}"), &[format!("run.instance=static-{number}")])
}

impl Roll {
    /// SIGTERM, and a new process of the same name on the same directory.
    fn restart(&mut self, number: usize, member: &mut Application) {
        let began = Instant::now();
        member.terminate();
        member.wait(LONG);
        let (ended, before) = (Instant::now(), self.ends());
        *member = start_static(&self.stage, number);
        member.wait_for_tasks(EACH, LONG);
        let after = self.ends();
        let restored: u64 = member.restored().map_or(u64::MAX, |stores| stores.values().sum());
        let (up, taken) = (member.up().unwrap_or(began), member.taken().into_values().min().unwrap_or(began));
        settle();
        let (gap, place) = self.gaps.longest(began, Instant::now());
        let seconds = |to: Instant, from: Instant| to.saturating_duration_since(from).as_secs_f64();
        let processing = member.processing().into_values().max().unwrap_or(began);
        self.findings.note(format_args!(
            "static member {number}: stopped in {:.2} s, up again after {:.2} s, assigned after {:.2} s more, processing all after {:.2} s more",
            seconds(ended, began),
            seconds(up, ended),
            seconds(taken, up),
            seconds(processing, taken)
        ));
        // Its restart time: from being asked to stop to being up again.
        self.findings.within(&format!("  longest gap, {place}"), gap, up.saturating_duration_since(began) + STATIC);
        if gap > up.saturating_duration_since(began) + STATIC {
            self.findings.note(format_args!("its log:\n{}", member.log()));
        }
        let own = partitions_of(&member.taken());
        let of = |partition| own.contains(&partition);
        let tail = written("accounts", &before, &after, of) + written("branch-minutes", &before, &after, of);
        self.findings.at_most("  changelog records read back", restored, tail);
    }

    /// A member without a name joins, and leaves by a clean stop.
    fn leave(&mut self) {
        let (began, mut dynamic) = self.join("a dynamic member");
        dynamic.terminate();
        dynamic.wait(LONG);
        settle();
        let (gap, place) = self.gaps.longest(began, Instant::now());
        self.findings.within(&format!("it leaves: longest gap, {place}"), gap, LEAVES);
    }

    /// The same, killed.
    fn kill(&mut self) {
        let (began, mut dynamic) = self.join("another dynamic member");
        dynamic.kill();
        let limit = SESSION + KILLED;
        until("the session is over", LONG, || (began.elapsed() > limit).then_some(()));
        settle();
        let (gap, place) = self.gaps.longest(began, Instant::now());
        self.findings.within(&format!("it is killed: longest gap, {place}"), gap, limit);
    }

    /// Answers when it had joined and things had settled.
    fn join(&mut self, what: &str) -> (Instant, Application) {
        let began = Instant::now();
        let mut dynamic = self.stage.start("dynamic", &[]);
        dynamic.wait_for_tasks(2, LONG);
        settle();
        let (gap, place) = self.gaps.longest(began, Instant::now());
        self.findings.note(format_args!("{what} joins: the longest gap is {:.2} s, {place}", gap.as_secs_f64()));
        (Instant::now(), dynamic)
    }

    fn ends(&mut self) -> Ends {
        self.logs.now().unwrap_or_else(|error| panic!("looking at the changelogs: {error}"))
    }
}

fn settle() {
    let began = Instant::now();
    until("things have settled", LONG, || (began.elapsed() >= SETTLE).then_some(()));
}
