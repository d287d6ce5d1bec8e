//! A task that comes back soon finds its files open.

use std::fs;
use std::path::Path;
use std::time::Duration;

use headwater_store::{RocksStores, StoreOptions};
use tempfile::tempdir;

use crate::support::{all, at, open, options, put};

fn keeping(root: &Path) -> RocksStores {
    RocksStores::open(root, "app", StoreOptions { keep_open: Duration::from_secs(3600), ..options() }).unwrap()
}

#[test]
fn a_closed_task_is_flushed_and_stays_open() {
    let root = tempdir().unwrap();
    let stores = keeping(root.path());
    let mut task = open(&stores, "t_0", &["a"]);
    task.apply(&[put(0, "k", "v")], &[at(0, 3)]).unwrap();
    drop(task);
    // What a crash would leave now: a copy of the files.
    let copy = tempdir().unwrap();
    let to = copy.path().join("app/tasks/t_0");
    drop(crate::support::stores(copy.path()));
    fs::create_dir(&to).unwrap();
    for file in fs::read_dir(stores.path().join("tasks/t_0")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
    let crashed = open(&crate::support::stores(copy.path()), "t_0", &["a"]);
    assert_eq!((all(&*crashed, 0).as_str(), crashed.offset(0).unwrap()), ("k=v", Some(3)));

    // Only a database that was not opened again does not notice this.
    fs::write(stores.path().join("tasks/t_0/CURRENT"), "nonsense").unwrap();
    let mut task = open(&stores, "t_0", &["a"]);
    assert_eq!((all(&*task, 0).as_str(), task.offset(0).unwrap(), task.take_notes().len()), ("k=v", Some(3), 0));
}

#[test]
fn other_stores_need_it_opened_again() {
    let root = tempdir().unwrap();
    let stores = keeping(root.path());
    let mut task = open(&stores, "t_0", &["a"]);
    task.apply(&[put(0, "k", "v")], &[at(0, 3)]).unwrap();
    drop(task);
    let task = open(&stores, "t_0", &["b", "a"]);
    assert_eq!((all(&*task, 0).as_str(), all(&*task, 1).as_str()), ("", "k=v"));
    drop(task);
    stores.remove("t_0").unwrap();
    assert_eq!(all(&*open(&stores, "t_0", &["a"]), 0), "");
}

#[test]
fn what_is_kept_open_goes_with_the_directory() {
    let root = tempdir().unwrap();
    let stores = keeping(root.path());
    drop(open(&stores, "t_0", &["a"]));
    drop(stores);
    drop(open(&keeping(root.path()), "t_0", &["a"]));
}
