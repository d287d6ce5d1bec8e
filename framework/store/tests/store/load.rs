//! Restoring in bulk: the outcome is that of applying, whatever is interrupted when.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use headwater_core::port::{Change, Checkpoint, StateStores, StoreRange};
use headwater_store::{RocksStores, StoreOptions};
use tempfile::tempdir;

use crate::children::{Child, child_root, say, wait_to_be_killed};
use crate::support::{all, open, options, put};

/// Runs of 3 MiB are written as files, smaller ones through memory.
fn loading(root: &Path) -> RocksStores {
    RocksStores::open(root, "app", StoreOptions { run_bytes: 3 << 20, ..options() }).unwrap()
}

/// Record `n` of a changelog: keys come again, and some are deleted.
fn record(n: i64) -> Change {
    let key = n * 7919 % 20_011;
    let value = (n % 11 != 0).then(|| Bytes::from(format!("{n}:{}", "v".repeat(200))));
    Change { store: 0, key: Bytes::from(key.to_be_bytes().to_vec()), value }
}

fn load(task: &mut dyn StateStores, from: i64, to: i64) {
    for first in (from..to).step_by(500) {
        let next = (first + 500).min(to);
        let changes: Vec<Change> = (first..next).map(record).collect();
        task.load(&changes, 0, Checkpoint::at(next)).unwrap();
    }
}

type Content = BTreeMap<Bytes, Bytes>;

fn expected(records: i64) -> Content {
    let mut content = BTreeMap::new();
    for Change { key, value, .. } in (0..records).map(record) {
        match value {
            Some(value) => content.insert(key, value),
            None => content.remove(&key),
        };
    }
    content
}

fn actual(task: &dyn StateStores) -> Content {
    task.scan(0, StoreRange { from: b"", to: None }).unwrap().map(Result::unwrap).collect()
}

const RECORDS: i64 = 60_000;

#[test]
fn a_load_is_what_applying_would_be() {
    let root = tempdir().unwrap();
    let stores = loading(root.path());
    let mut task = open(&stores, "t_0", &["a", "b"]);
    task.apply(&[put(0, "before", "1"), put(1, "other", "store")], &[]).unwrap();
    load(&mut *task, 0, RECORDS);
    task.end_load(0).unwrap();
    let with_before = |records| {
        let mut content = expected(records);
        content.insert(Bytes::from("before"), Bytes::from("1"));
        content
    };
    assert!(actual(&*task) == with_before(RECORDS));
    assert_eq!((all(&*task, 1).as_str(), task.offset(0).unwrap()), ("other=store", Some(RECORDS)));
    // A tail of a few records is a load too, and later changes win over it.
    load(&mut *task, RECORDS, RECORDS + 20);
    task.end_load(0).unwrap();
    assert!(actual(&*task) == with_before(RECORDS + 20));
    task.apply(&[put(0, "before", "2")], &[]).unwrap();
    drop(task);
    let task = open(&stores, "t_0", &["a", "b"]);
    assert_eq!(task.get(0, b"before").unwrap().unwrap(), "2");
}

#[test]
fn closing_in_the_middle_keeps_what_was_loaded() {
    let root = tempdir().unwrap();
    let stores = loading(root.path());
    let mut task = open(&stores, "t_0", &["a"]);
    load(&mut *task, 0, 30_250);
    task.flush().unwrap();
    drop(task);
    let mut task = open(&stores, "t_0", &["a"]);
    assert_eq!(task.offset(0).unwrap(), Some(30_250), "not a record is read again");
    load(&mut *task, 30_250, RECORDS);
    task.end_load(0).unwrap();
    assert!(actual(&*task) == expected(RECORDS));
}

#[test]
fn a_load_that_begins_again_begins_empty() {
    let root = tempdir().unwrap();
    let stores = loading(root.path());
    let mut task = open(&stores, "t_0", &["a"]);
    load(&mut *task, 0, 40_000);
    task.clear(0).unwrap();
    assert_eq!((actual(&*task).len(), task.offset(0).unwrap()), (0, None));
    load(&mut *task, 0, 100);
    task.end_load(0).unwrap();
    assert!(actual(&*task) == expected(100));
}

/// Wherever it is killed, the store is never behind its checkpoint: going on from there leads to the same as never having stopped.
#[test]
fn killed_anywhere_a_load_goes_on_to_the_same_end() {
    let mut resumed = Vec::new();
    for lines in [1, 5, 13, 29, 60, 118] {
        let root = tempdir().unwrap();
        let mut child = Child::start("load::child_loads_until_killed", root.path());
        assert_eq!(child.read_lines(lines).len(), lines, "the child ended by itself");
        child.kill();
        let stores = loading(root.path());
        let mut task = open(&stores, "t_0", &["a"]);
        let from = task.offset(0).unwrap().unwrap_or(0);
        if from == 0 {
            task.clear(0).unwrap();
        }
        resumed.push(from);
        load(&mut *task, from, RECORDS);
        task.end_load(0).unwrap();
        assert!(actual(&*task) == expected(RECORDS), "resumed at {from}");
        let leftovers = std::fs::read_dir(stores.path().join("tasks/t_0")).unwrap();
        assert!(leftovers.into_iter().all(|entry| entry.unwrap().path().extension().is_none_or(|e| e != "load")));
    }
    assert!(resumed.last() > Some(&0), "{resumed:?}: runs were written before the last kill");
}

#[test]
fn child_loads_until_killed() {
    let Some(root) = child_root() else { return };
    let stores = loading(&root);
    let mut task = open(&stores, "t_0", &["a"]);
    for first in (0..RECORDS).step_by(500) {
        load(&mut *task, first, first + 500);
        say(&first.to_string());
    }
    wait_to_be_killed();
}
