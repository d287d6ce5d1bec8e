//! One generation after the other takes over under load, while processes of both are killed: each result is said exactly once.

use std::path::Path;
use std::time::{Duration, Instant};

use ledger::Random;

use super::application::Application;
use super::findings::Findings;
use super::gaps::Gaps;
use super::generator::{Flow, Generator};
use super::stage::Stage;
use crate::wait::until;

/// How long the group waits for a process that was killed.
const SESSION: Duration = Duration::from_secs(6);
const LONG: Duration = Duration::from_secs(240);
const PARTITIONS: i32 = 4;
/// Two sub-topologies.
const TASKS: usize = 2 * PARTITIONS as usize;
/// The longest pause of an output partition where nobody was killed.
const PAUSE: Duration = Duration::from_secs(2);

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How often.
    pub repetitions: u64,
    /// Decides the moments and the transfers.
    pub seed: u64,
    /// Accounts the transfers are spread over.
    pub accounts: u64,
    /// Transfers per second.
    pub rate: u64,
    /// Whether pauses are held against their bound: not beside other work.
    pub judges_pauses: bool,
}

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Nobody,
    Old,
    New,
}

struct Relay {
    stage: Stage,
    gaps: Gaps,
    random: Random,
    findings: Findings,
    pauses: Vec<f64>,
    /// When the group has noticed that the process that was killed last is gone: until then its partitions stand.
    noticed: Instant,
}

/// Runs the proof with the application's binary. Panics if the broker cannot be started or the application does not.
pub fn run(ledger: &Path, options: &Options) -> Findings {
    let stage = Stage::open(ledger, PARTITIONS, SESSION);
    let mut current = stage.start("generation-0", &[]);
    current.wait_for_tasks(TASKS, LONG);
    let flow = Flow {
        seed: options.seed,
        accounts: options.accounts,
        partitions: PARTITIONS,
        at_once: options.accounts,
        rate: options.rate,
    };
    let generator = Generator::start(stage.log.clone(), flow);
    let gaps = Gaps::watch(&stage.log, ledger::BALANCES, PARTITIONS).unwrap_or_else(|error| panic!("watching: {error}"));
    until("the accounts are there", LONG, || (generator.written() > options.accounts).then_some(()));
    stage.wait_for_backlog(2 * options.rate, "the application keeps up");
    let (random, findings) = (Random::new(options.seed), Findings::new());
    let mut relay = Relay { stage, gaps, random, findings, pauses: Vec::new(), noticed: Instant::now() };
    for number in 1..=options.repetitions {
        current = relay.hand_over(number, current);
    }
    let Relay { stage, gaps, mut findings, pauses, .. } = relay;
    let written = generator.stop();
    let last = format!("{}.g{}", ledger::NAME, options.repetitions);
    stage.wait_for_backlog_of(&last, 0, "everything is consumed");
    drop(gaps);
    current.terminate();
    current.wait(LONG);
    findings.note(format_args!("{written} transfers, {} generations", options.repetitions + 1));
    let longest = pauses.iter().copied().fold(0.0, f64::max);
    findings.distribution("longest pause of an output partition where nobody was killed", pauses, "s");
    if options.judges_pauses {
        findings.within("longest of them", Duration::from_secs_f64(longest), PAUSE);
    }
    stage.judge(&mut findings);
    findings.conclude();
    findings
}

impl Relay {
    /// The generation of this number takes over from `old`; answers its process.
    fn hand_over(&mut self, number: u64, mut old: Application) -> Application {
        let id = format!("g{number}");
        let victim = match self.random.below(3) {
            0 => Victim::Nobody,
            1 => Victim::Old,
            _ => Victim::New,
        };
        until("the group has noticed who is gone", LONG, || (Instant::now() >= self.noticed).then_some(()));
        let began = Instant::now();
        let mut new = self.follow(&id);
        if victim != Victim::Nobody {
            let moment = Instant::now() + Duration::from_millis(500 + self.random.below(4_000));
            until("the moment has come", LONG, || (Instant::now() >= moment).then_some(()));
            self.noticed = Instant::now() + SESSION + Duration::from_secs(2);
            match victim {
                Victim::Old if old.is_running() => {
                    old.kill();
                    old = self.restart_old(number - 1);
                }
                _ => {
                    new.kill();
                    new = self.follow(&id);
                }
            }
        }
        self.wait_until_in_force(&id, &mut new);
        // It ends by itself, or could not start any more.
        let ending = Instant::now();
        until("the old generation ends", LONG, || {
            assert!(ending.elapsed() < LONG / 4, "the old generation does not end:\n{}", old.log());
            (!old.is_running()).then_some(())
        });
        old.wait(LONG);
        let settled = Instant::now() + Duration::from_secs(1);
        until("the output goes on", LONG, || (Instant::now() >= settled).then_some(()));
        // Before the cut is asked for, the new generation reads all there is on the same machine: that is another matter.
        let cut = new.first("step=Requested").unwrap_or(began);
        let (pause, place) = self.gaps.longest(cut, Instant::now());
        let after = |step: &str| new.first(step).map_or(f64::NAN, |at| at.saturating_duration_since(cut).as_secs_f64());
        self.findings.note(format_args!(
            "generation {number}: {:.1} s, killed {victim:?}, sealed after {:.2} s, promoted after {:.2} s, longest pause {:.2} s, {place}",
            began.elapsed().as_secs_f64(),
            after("step=Sealed"),
            after("step=Promoted"),
            pause.as_secs_f64()
        ));
        if victim == Victim::Nobody {
            self.pauses.push(pause.as_secs_f64());
        }
        if number > 1 {
            self.remove(&format!("g{}", number - 1));
        }
        new
    }

    /// As the new generation says, and seldom asked for by the command: that starts a process of its own, which takes part of the machine in the very moments
    /// that are measured. One that was killed as it took over has said nothing.
    fn wait_until_in_force(&self, id: &str, new: &mut Application) {
        let in_force = format!("{id} ");
        let mut asked = Instant::now();
        until(&format!("generation {id} is in force"), LONG, || {
            assert!(new.is_running(), "the new generation ended:\n{}", new.log());
            let is_said = new.first("step=Promoted").is_some();
            if !is_said && asked.elapsed() < SESSION {
                return None;
            }
            asked = Instant::now();
            let (_, runs) = self.stage.call(&["backfill", "list"]);
            runs.lines().any(|line| line.starts_with(&in_force) && line.contains("in force")).then_some(())
        });
    }

    /// As an operator would: fifty generations' topics are a burden to one broker.
    fn remove(&self, id: &str) {
        let state = self.stage.guardian.directory().join(format!("generation-{id}")).display().to_string();
        until(&format!("generation {id} is removed"), LONG, || {
            // A process that was killed counts until its session ends.
            let (status, _) = self.stage.call(&["backfill", "clean", id, "--state-dir", &state]);
            (status == 0).then_some(())
        });
    }

    fn follow(&self, id: &str) -> Application {
        let command = ["backfill", "--from", "earliest", "--then-live", "--id", id, "--same-output", "--yes-same-output"];
        self.stage.start_as(&command, &format!("generation-{id}"), &[])
    }

    /// As whoever deployed it would start it again.
    fn restart_old(&self, number: u64) -> Application {
        match number {
            0 => self.stage.start("generation-0", &[]),
            _ => self.stage.start(&format!("generation-g{number}"), &[format!("run.generation=g{number}")]),
        }
    }
}
