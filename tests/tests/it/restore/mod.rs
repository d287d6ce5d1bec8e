//! Stores and changelogs on a real broker: what does not fit is noticed, named and healed; a restore cut short goes on.

mod stage;

use headwater::adapters::StoreOptions;
use headwater::port::{Checkpoint, Log};
use headwater_tests::until;
use stage::{STORE, Stage};

use crate::ledger::LONG;

fn keys(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Three keys are counted; what the store is at is known, topic and time too.
fn counted(name: &str) -> Stage {
    let stage = Stage::new(name);
    stage.send(keys(&["a", "b", "c"]));
    let seen = stage.run_restored(&stage.state("one"));
    assert_eq!(seen.recovered, []);
    assert_eq!(stage.keys(&stage.state("one")), ["a", "b", "c"]);
    let checkpoint = stage.checkpoint(&stage.state("one"));
    assert!(checkpoint.topic.is_some() && checkpoint.as_of.is_some(), "{checkpoint:?}");
    stage
}

#[track_caller]
fn heals(stage: &Stage, reason: &'static str, expected: &[&str]) {
    let state = stage.state("one");
    assert_eq!(stage.run_restored(&state).recovered, [(STORE.to_owned(), reason)]);
    assert_eq!(stage.keys(&state), expected);
    assert_eq!(stage.run_restored(&state).recovered, [], "it is in order now");
}

#[test]
fn a_tail_is_read_and_nothing_else() {
    let stage = counted("restore-tail");
    stage.write_changelog(keys(&["d", "e"]), b"from another member");
    let seen = stage.run_restored(&stage.state("one"));
    assert_eq!((seen.recovered.len(), seen.applied), (0, 2));
    assert_eq!(stage.keys(&stage.state("one")), ["a", "b", "c", "d", "e"]);
    // With the disk lost, all of it is.
    let seen = stage.run_restored(&stage.state("two"));
    assert_eq!((seen.recovered.len(), seen.applied), (0, 5));
    assert_eq!(stage.keys(&stage.state("two")), ["a", "b", "c", "d", "e"]);
}

#[test]
fn a_trimmed_changelog_is_restored_in_full() {
    let stage = counted("restore-trimmed");
    stage.write_changelog(keys(&["d", "e"]), b"from another member");
    let end = stage.checkpoint(&stage.state("one")).offset;
    // The marker of the store's commit, d.
    stage.log.admin().unwrap().delete_records(&[(stage.changelog_partition(), end + 2)]).unwrap();
    heals(&stage, "trimmed", &["e"]);
}

#[test]
fn a_changelog_made_anew_is_restored_in_full() {
    let stage = counted("restore-recreated");
    stage.recreate_changelog();
    // More than it had before: offsets alone tell nothing.
    stage.write_changelog((0..20).map(|_| "new".to_owned()), b"v");
    heals(&stage, "recreated", &["new"]);
}

#[test]
fn a_store_ahead_of_its_changelog_is_restored_in_full() {
    let stage = counted("restore-truncated");
    let state = stage.state("one");
    let checkpoint = stage.checkpoint(&state);
    // The log of a broker that lost its newest records, seen from the store.
    stage.with_store(&state, |task| {
        task.apply(&[], &[(0, Checkpoint { offset: checkpoint.offset + 100, ..checkpoint })]).unwrap();
    });
    heals(&stage, "truncated", &["a", "b", "c"]);
}

/// A changelog of many records, read back in several runs.
#[test]
fn an_interrupted_restore_goes_on_where_it_was() {
    const RECORDS: usize = 300_000;
    const KEYS: usize = 200_000;
    let stage = Stage::new("restore-interrupted");
    let value = [b'v'; 100];
    stage.write_changelog((0..RECORDS).map(|number| format!("k{:06}", number % KEYS)), &value);
    let options = StoreOptions { run_bytes: 4 << 20, ..StoreOptions::default() };
    let mut attempts = 0;
    // On a busy machine everything may be read before the order to stop is heard: then once more.
    let (state, applied) = until("a restore is interrupted", LONG, || {
        attempts += 1;
        let state = stage.state(&format!("state-{attempts}"));
        let (mut applied, mut stops) = (0, 0);
        loop {
            let seen = stage.run(&state, &options, |seen| seen.applied >= 40_000 || seen.restored).unwrap();
            assert_eq!(seen.recovered, []);
            applied += seen.applied;
            if seen.restored {
                break;
            }
            stops += 1;
            assert!(stage.checkpoint(&state).offset > 0);
        }
        (stops > 0).then_some((state, applied))
    });
    assert_eq!(applied, RECORDS as u64, "no record is read twice");
    let found = stage.keys(&state);
    assert_eq!(found.len(), KEYS);
    assert!(found.iter().enumerate().all(|(number, key)| *key == format!("k{number:06}")));
}
