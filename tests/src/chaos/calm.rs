//! After the chaos: everything runs again, everything is consumed, everything stops.

use std::time::{Duration, Instant};

use headwater::{Backlog, Blueprint};
use headwater_core::port::LogError;

use super::arena::Arena;
use super::diary::Diary;
use super::{Options, scenario};

/// For processes and brokers to be back.
const RECOVERY: Duration = Duration::from_secs(120);
/// For everything to be consumed, once it is all written.
const CONSUMPTION: Duration = Duration::from_secs(240);
/// For all processes to stop; each is watched for its own limit.
const STOP: Duration = Duration::from_secs(90);
/// From one telling of the backlog to the next.
const TELLING: Duration = Duration::from_secs(10);

/// Brings everything to its end; answers how long the consumption of what was left took.
pub(super) fn settle(arena: &mut Arena, options: &Options, diary: &Diary) -> Duration {
    arena.members.calm();
    arena.brokers.calm();
    wait(arena, diary, "processes and brokers are not all back", RECOVERY, |arena| {
        arena.members.are_calm() && arena.brokers.are_calm()
    });
    // What it could not write while brokers were away comes at the end.
    let limit = RECOVERY + options.duration / 2;
    let written = wait(arena, diary, "the generator is not done", limit, |arena| arena.generator.ended().is_some());
    if written && arena.generator.ended().is_some_and(|status| !status.success()) {
        diary.violation("the generator failed; see its log");
    }
    let began = Instant::now();
    match consume(arena, options, diary) {
        Ok(()) => diary.note(format_args!("everything is consumed, {:.1} s after it was written", began.elapsed().as_secs_f64())),
        Err(error) => diary.violation(format_args!("the backlog cannot be asked for: {error}")),
    }
    let took = began.elapsed();
    arena.members.stop();
    wait(arena, diary, "processes do not stop", STOP, |arena| arena.members.are_gone());
    took
}

fn consume(arena: &mut Arena, options: &Options, diary: &Diary) -> Result<(), LogError> {
    let blueprint = Blueprint::of(ledger::NAME, ledger::topology).map_err(|error| LogError::Fatal(error.to_string()))?;
    let counts = [(ledger::TRANSFERS.to_owned(), options.size.partitions)].into_iter().collect();
    let plan = blueprint.plan(&counts).map_err(|error| LogError::Fatal(error.to_string()))?;
    let mut backlog = Backlog::of(&plan, &arena.log)?;
    let mut told = Instant::now();
    wait(arena, diary, "not everything is consumed", CONSUMPTION, |_| {
        let remaining = backlog.remaining();
        if told.elapsed() > TELLING {
            told = Instant::now();
            diary.note(format_args!("  left to consume: {remaining:?}"));
        }
        matches!(remaining, Ok(0))
    });
    Ok(())
}

/// Looks after everything until it is so. False, with a violation, if that takes too long.
fn wait(arena: &mut Arena, diary: &Diary, violation: &str, limit: Duration, mut is_so: impl FnMut(&mut Arena) -> bool) -> bool {
    let began = Instant::now();
    while began.elapsed() < limit {
        arena.look_after(diary);
        if is_so(arena) {
            return true;
        }
        scenario::pause();
    }
    diary.violation(format_args!("{violation} within {limit:?}"));
    false
}
