//! `make simulate`. Read from the environment: `SEEDS` (1000) and `FROM` (0), or one `SEED`; `MUTATE` (a defect to build in); and to narrow a seed
//! down `WITHOUT` (faults, separated by commas), `FAULTS` and `ACTS` (at most so many), `TRACE` (set: the trace also of a seed that passes).

use std::process::ExitCode;

use headwater_simulator::{Fault, Limits, Mutation, Plan, Summary, run, shrink, simulate};

/// Seeds from which on every mark must have been reached.
const ENOUGH: u64 = 1000;

fn main() -> ExitCode {
    match settings().map(|settings| settings.run()) {
        Ok(code) => code,
        Err(text) => {
            eprintln!("simulate: {text}");
            ExitCode::FAILURE
        }
    }
}

struct Settings {
    plan: Plan,
    one: Option<u64>,
    trace: bool,
}

fn settings() -> Result<Settings, String> {
    let one = number("SEED")?;
    let from = one.or(number("FROM")?).unwrap_or(0);
    let seeds = if one.is_some() { 1 } else { number("SEEDS")?.unwrap_or(1000) };
    let mutation = match text("MUTATE") {
        None => None,
        Some(name) => {
            Some(Mutation::named(&name).ok_or_else(|| format!("there is no mutation {name:?}; there are:{}", mutations()))?)
        }
    };
    let without = text("WITHOUT").unwrap_or_default();
    let without: Result<Vec<Fault>, String> = without.split(',').filter(|name| !name.is_empty()).map(fault).collect();
    let limits =
        Limits { faults: number("FAULTS")?.unwrap_or(u64::MAX), acts: number("ACTS")?.unwrap_or(u64::MAX), without: without? };
    let most_failures = if mutation.is_some() { 1 } else { 5 };
    let plan = Plan { seeds: from..from + seeds, mutation, limits, most_failures };
    Ok(Settings { plan, one, trace: text("TRACE").is_some() })
}

impl Settings {
    fn run(&self) -> ExitCode {
        if let (Some(seed), true) = (self.one, self.trace) {
            let outcome = simulate(seed, &self.plan.limits, self.plan.mutation, true);
            println!("{}\n{}", outcome.setup, outcome.trace.join("\n"));
        }
        let seeds = self.plan.seeds.end - self.plan.seeds.start;
        let step = (seeds / 10).max(1);
        let summary = run(&self.plan, &|done| {
            if done % step == 0 && seeds > 1 {
                println!("{done} of {seeds} seeds");
            }
        });
        println!("{summary}");
        match self.plan.mutation {
            Some(mutation) => self.mutated(mutation, &summary),
            None => self.honest(&summary),
        }
    }

    fn honest(&self, summary: &Summary) -> ExitCode {
        for (seed, failure) in &summary.failures {
            println!("seed {seed}: {}: {}", failure.kind, failure.text);
        }
        if let Some((seed, _)) = summary.failures.first() {
            self.explain(*seed);
            return ExitCode::FAILURE;
        }
        let complete = summary.seeds >= ENOUGH && self.plan.limits == Limits::default();
        for mark in summary.unreached().iter().filter(|_| complete) {
            println!("mark never reached: {} ({})", mark.name(), mark.says());
        }
        for fault in summary.unseen().iter().filter(|_| complete) {
            println!("fault never happened: {} ({})", fault.name(), fault.says());
        }
        let bad = complete && !(summary.unreached().is_empty() && summary.unseen().is_empty());
        if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }

    fn mutated(&self, mutation: Mutation, summary: &Summary) -> ExitCode {
        match summary.failures.first() {
            Some((seed, failure)) => {
                println!("{} was caught by seed {seed}: {}: {}", mutation.name(), failure.kind, failure.text);
                if self.one.is_some() {
                    self.explain(*seed);
                }
                ExitCode::SUCCESS
            }
            None => {
                println!("{} was NOT caught: {}", mutation.name(), mutation.says());
                ExitCode::FAILURE
            }
        }
    }

    fn explain(&self, seed: u64) {
        let shrunk = shrink(seed, &self.plan.limits, self.plan.mutation);
        let outcome = &shrunk.outcome;
        println!("\nThe least of seed {seed} that was found to fail:\n{}\n{}", outcome.setup, outcome.trace.join("\n"));
        if let Some(failure) = &outcome.failure {
            println!("seed {seed}: {}: {}", failure.kind, failure.text);
        }
        let mutate = self.plan.mutation.map(|mutation| format!(" MUTATE={}", mutation.name())).unwrap_or_default();
        println!("again:         make simulate SEED={seed}{mutate}{}", self.plan.limits.variables());
        println!("the least:     make simulate SEED={seed}{mutate}{}", shrunk.limits.variables());
    }
}

fn mutations() -> String {
    Mutation::ALL.iter().map(|mutation| format!("\n  {:<22} {}", mutation.name(), mutation.says())).collect()
}

fn fault(name: &str) -> Result<Fault, String> {
    let names = || Fault::ALL.iter().map(|fault| fault.name()).collect::<Vec<_>>().join(", ");
    Fault::ALL
        .iter()
        .copied()
        .find(|fault| fault.name() == name)
        .ok_or_else(|| format!("there is no fault {name:?}; there are {}", names()))
}

fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

fn number(name: &str) -> Result<Option<u64>, String> {
    text(name).map(|text| text.parse().map_err(|_| format!("{name}={text} is not a number"))).transpose()
}
