//! The short form of the simulator: seeds pass and reach every mark, the same seed does the same again, and every mutation is caught.

use headwater_simulator::{Limits, Mutation, Plan, Summary, run, simulate};

fn seeds(count: u64, mutation: Option<Mutation>) -> Summary {
    let plan = Plan { seeds: 0..count, mutation, limits: Limits::default(), most_failures: 1 };
    run(&plan, &|_| {})
}

#[test]
fn seeds_pass_and_reach_every_mark() {
    let summary = seeds(2000, None);
    let failed: Vec<String> = summary.failures.iter().map(|(seed, _)| format!("make simulate SEED={seed}")).collect();
    assert!(failed.is_empty(), "{:?}\n{}", summary.failures, failed.join("\n"));
    assert_eq!(summary.unreached(), [], "marks that no seed reached");
    assert_eq!(summary.unseen(), [], "faults that never happened");
}

#[test]
fn a_seed_does_the_same_again() {
    let run = |seed| simulate(seed, &Limits::default(), None, true).trace;
    for seed in 0..200 {
        let (first, second) = (run(seed), run(seed));
        let difference = first.iter().zip(&second).position(|(first, second)| first != second);
        assert_eq!(difference.map(|line| (&first[line], &second[line])), None, "seed {seed}");
        assert_eq!(first.len(), second.len(), "seed {seed}");
    }
}

#[test]
fn every_mutation_is_caught() {
    let missed: Vec<&str> = Mutation::ALL
        .iter()
        .filter(|mutation| seeds(1000, Some(**mutation)).failures.is_empty())
        .map(|mutation| mutation.name())
        .collect();
    assert!(missed.is_empty(), "not caught: {missed:?}");
}
