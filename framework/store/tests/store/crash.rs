//! After a crash, a task is some earlier commit of itself, whole: every store and every offset of the same one.

use std::collections::BTreeMap;
use std::path::Path;
use std::process;

use bytes::Bytes;
use headwater_core::port::{Change, Checkpoint, StateStores, StoreRange};
use tempfile::tempdir;

use crate::children::{Child, child_root, say, wait_to_be_killed};
use crate::support::{at, open, stores};

const STORES: [&str; 3] = ["many", "few", "rare"];

/// The changes of commit `n` (from 1): deterministic, so that the state after any commit can be computed again. Commit
/// `n` leaves the offset at `n` for stores it touches; it touches the last one rarely, so that flushes find stores in
/// different states.
fn commit(n: i64) -> (Vec<Change>, Vec<(usize, Checkpoint)>) {
    let change = |store, key: i64, value: Option<usize>| Change {
        store,
        key: Bytes::from(key.to_be_bytes().to_vec()),
        value: value.map(|length| Bytes::from(format!("{n}:{}", "v".repeat(length)))),
    };
    let mut changes = vec![change(0, n % 977, Some(700)), change(0, (n * 7) % 977, None), change(1, n % 5, Some(10))];
    let mut offsets = vec![at(0, n), at(1, n)];
    if n % 100 == 0 {
        changes.push(change(2, n, Some(1)));
        offsets.push(at(2, n));
    }
    (changes, offsets)
}

type Content = (Vec<BTreeMap<Bytes, Bytes>>, Vec<Option<i64>>);

/// State after commits `1..=last`, by a map.
fn expected(last: i64) -> Content {
    let mut content = (vec![BTreeMap::new(); STORES.len()], vec![None; STORES.len()]);
    for n in 1..=last {
        let (changes, offsets) = commit(n);
        for Change { store, key, value } in changes {
            match value {
                Some(value) => content.0[store].insert(key, value),
                None => content.0[store].remove(&key),
            };
        }
        for (store, checkpoint) in offsets {
            content.1[store] = Some(checkpoint.offset);
        }
    }
    content
}

fn actual(task: &dyn StateStores) -> Content {
    let entries = |store| task.scan(store, StoreRange { from: b"", to: None }).unwrap().map(Result::unwrap).collect();
    let stores = 0..STORES.len();
    (stores.clone().map(entries).collect(), stores.map(|store| task.offset(store).unwrap()).collect())
}

/// Opens what the crash left, checks that it is a commit, and says which.
fn recovered_commit(root: &Path) -> i64 {
    let task = open(&stores(root), "t_0", &STORES);
    let last = task.offset(0).unwrap().unwrap_or(0);
    assert!(actual(&*task) == expected(last), "what is on disk is not commit {last}");
    last
}

#[test]
fn a_flush_survives_and_what_follows_may_not() {
    let root = tempdir().unwrap();
    assert!(!Child::start("crash::child_aborts_after_a_flush", root.path()).succeeds());
    assert_eq!(recovered_commit(root.path()), 250);
}

#[test]
fn child_aborts_after_a_flush() {
    let Some(root) = child_root() else { return };
    let mut task = open(&stores(&root), "t_0", &STORES);
    for n in 1..=255 {
        let (changes, offsets) = commit(n);
        task.apply(&changes, &offsets).unwrap();
        if n == 250 {
            task.flush().unwrap();
        }
    }
    process::abort();
}

/// The 8 MiB of the tests fill every few thousand commits, so RocksDB flushes by itself, in the background, while commits go on.
#[test]
fn killed_anywhere_it_is_a_commit() {
    let mut recovered = Vec::new();
    for lines in [1, 9, 14, 23] {
        let root = tempdir().unwrap();
        let mut child = Child::start("crash::child_commits_until_killed", root.path());
        let said = child.read_lines(lines);
        assert_eq!(said.len(), lines, "the child ended by itself");
        child.kill();
        let applied: i64 = said[lines - 1].parse().unwrap();
        recovered.push((applied, recovered_commit(root.path())));
    }
    let (applied, last) = recovered[3];
    assert!(
        last > 0,
        "{recovered:?}: memory was full several times, so something must have been flushed after {applied} commits"
    );
}

#[test]
fn child_commits_until_killed() {
    let Some(root) = child_root() else { return };
    let mut task = open(&stores(&root), "t_0", &STORES);
    for n in 1..=30_000 {
        let (changes, offsets) = commit(n);
        task.apply(&changes, &offsets).unwrap();
        if n % 1000 == 0 {
            say(&n.to_string());
        }
    }
    wait_to_be_killed();
}
