use std::sync::Arc;
use std::time::{Duration, Instant};

use ledger::Random;

use super::arena::Arena;
use super::calm::settle;
use super::diary::{Diary, Outcome};
use super::{Action, Options, logs, oracle};

/// Tries to find an action that is possible just now.
const TRIES: usize = 20;

/// Runs a whole scenario: chaos, calm, comparison. Panics if the cluster cannot be started.
pub fn run(options: &Options) -> Outcome {
    let diary = Arc::new(Diary::new(options.seed));
    let mut arena = Arena::open(options, &diary);
    disturb(&mut arena, options, &diary);
    diary.note("no more actions; everything is to run again");
    let took = settle(&mut arena, options, &diary);

    let mut facts = vec![("to consume the rest", format!("{:.1} s", took.as_secs_f64()))];
    let logs_of = arena.guardian.directory().join("logs");
    let Arena { tail, log, generator, members, brokers, guardian } = arena;
    let seen = tail.stop();
    if let Some((gap, partition)) = seen.longest_gap {
        facts.push(("longest gap in an output", format!("{:.1} s, {partition}", gap.as_secs_f64())));
    }
    match oracle::judge(&log) {
        Ok(verdict) => {
            facts.push(("transfers", format!("{}, {} of them late", verdict.transfers, verdict.late)));
            facts.push(("results", verdict.results.to_string()));
            verdict.differences.iter().for_each(|difference| diary.violation(difference));
        }
        Err(error) => diary.violation(format_args!("the topics cannot be compared: {error}")),
    }
    facts.extend(logs::count(&logs_of));
    let outcome = diary.outcome(facts, logs_of);
    if !outcome.is_good() {
        guardian.keep("logs");
    }
    drop((generator, members, brokers));
    outcome
}

/// One action after the other, until the time is up.
fn disturb(arena: &mut Arena, options: &Options, diary: &Diary) {
    let mut random = Random::new(options.seed);
    let began = Instant::now();
    let pause_of = |random: &mut Random| Duration::from_millis(random.between(options.pauses.0, options.pauses.1));
    let mut next = Instant::now() + pause_of(&mut random);
    while began.elapsed() < options.duration {
        arena.look_after(diary);
        if Instant::now() >= next {
            let tried = (0..TRIES).any(|_| {
                let action = options.actions[random.below(options.actions.len() as u64) as usize];
                act(arena, action, &mut random, diary)
            });
            next = Instant::now() + if tried { pause_of(&mut random) } else { Duration::from_secs(1) };
        }
        pause();
    }
}

fn act(arena: &mut Arena, action: Action, random: &mut Random, diary: &Diary) -> bool {
    match action {
        Action::KillBroker | Action::StopBroker | Action::PauseBroker => arena.brokers.act(action, random, diary),
        _ => arena.members.act(action, random, diary),
    }
}

/// Between two looks at everything.
#[allow(clippy::disallowed_methods, reason = "pauses between actions are what the scenario is made of; every wait has its limit")]
pub(super) fn pause() {
    std::thread::sleep(Duration::from_millis(50));
}
