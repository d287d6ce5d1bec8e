//! `kill -9` at random moments, under exactly-once load.

use std::path::Path;
use std::time::Duration;

use ledger::Random;

use super::changelogs::Changelogs;
use super::findings::Findings;
use super::generator::{Flow, Generator};
use super::lives::{Lives, Moment};
use super::stage::Stage;
use crate::wait::until;

/// From being assigned to processing, with the disk kept.
const READY: Duration = Duration::from_secs(5);
/// Short: the group waits that long for each process that was killed.
const SESSION: Duration = Duration::from_secs(3);
const LONG: Duration = Duration::from_secs(300);
const PARTITIONS: i32 = 4;
/// Two sub-topologies.
const TASKS: usize = 2 * PARTITIONS as usize;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How often.
    pub kills: u64,
    /// Decides the moments and the transfers.
    pub seed: u64,
    /// Accounts, of which some 95 % get a transfer before the first kill.
    pub accounts: u64,
    /// Transfers per second.
    pub rate: u64,
}

/// Runs the proof with the application's binary. Panics if the broker cannot be started or the application does not.
pub fn run(ledger: &Path, options: &Options) -> Findings {
    let mut findings = Findings::new();
    let stage = Stage::open(ledger, PARTITIONS, SESSION);
    let settings = ["run.workers=2".to_owned()];
    let mut app = stage.start("state", &settings);
    let at_once = 3 * options.accounts;
    let flow = Flow { seed: options.seed, accounts: options.accounts, partitions: PARTITIONS, at_once, rate: options.rate };
    let generator = Generator::start(stage.log.clone(), flow);
    app.wait_for_tasks(TASKS, LONG);
    until("the accounts are there", LONG, || (generator.written() >= at_once).then_some(()));
    stage.wait_for_backlog(10_000 + 4 * options.rate, "the accounts are in the store");
    // A clean stop flushes everything: from here on it is known what is on disk.
    app.terminate();
    let stopped = app.wait(LONG);
    let mut logs = Changelogs::watch(&stage.log, PARTITIONS).unwrap_or_else(|error| panic!("watching the changelogs: {error}"));
    let flushed = logs.now().unwrap_or_else(|error| panic!("looking at the changelogs: {error}"));
    findings.note(format_args!("{} changelog records are on disk after a clean stop ({stopped})", flushed.values().sum::<i64>()));

    let (mut random, mut lives) = (Random::new(options.seed), Lives::new(TASKS, flushed));
    for kill in 1..=options.kills {
        let moment = Moment::choose(&mut random);
        let mut app = stage.start("state", &settings);
        lives.live(&mut app, moment, &mut logs, &mut findings);
        findings.note(format_args!("kill {kill} of {}: {moment:?}", options.kills));
    }
    let written = generator.stop();
    let mut app = stage.start("state", &settings);
    stage.wait_for_backlog(0, "everything is consumed after the last kill");
    app.terminate();
    app.wait(LONG);
    drop(logs);

    findings.note(format_args!(
        "{written} transfers, {} kills, {} of them before all tasks were processing",
        options.kills, lives.cut_short
    ));
    findings.distribution("records read back at a restart", lives.replayed, "records");
    let slowest = lives.recovered.iter().copied().fold(0.0, f64::max);
    findings.distribution("from assigned to processing, per task", lives.recovered, "s");
    findings.within("slowest of them", Duration::from_secs_f64(slowest), READY);
    stage.judge(&mut findings);
    findings.conclude();
    findings
}
