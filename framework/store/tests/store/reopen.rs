use std::thread;

use headwater_core::port::StoreError;
use tempfile::tempdir;

use crate::support::{all, at, error, open, put, stores, try_open};

#[test]
fn a_clean_close_keeps_everything() {
    let root = tempdir().unwrap();
    let id = {
        let stores = stores(root.path());
        let mut task = open(&stores, "t_0", &["a"]);
        task.apply(&[put(0, "k", "flushed")], &[at(0, 1)]).unwrap();
        task.flush().unwrap();
        task.apply(&[put(0, "l", "closed")], &[at(0, 2)]).unwrap();
        stores.instance_id().to_owned()
    };
    let stores = stores(root.path());
    assert_eq!(stores.instance_id(), id);
    let task = open(&stores, "t_0", &["a"]);
    assert_eq!((all(&*task, 0).as_str(), task.offset(0).unwrap()), ("k=flushed l=closed", Some(2)));
}

#[test]
fn stores_come_go_and_change_places() {
    let root = tempdir().unwrap();
    let stores = stores(root.path());
    let mut task = open(&stores, "t_0", &["a", "b"]);
    task.apply(&[put(0, "k", "in a"), put(1, "k", "in b")], &[at(0, 1), at(1, 2)]).unwrap();
    drop(task);
    let mut task = open(&stores, "t_0", &["c", "b"]);
    assert_eq!((all(&*task, 0).as_str(), task.offset(0).unwrap()), ("", None));
    assert_eq!((all(&*task, 1).as_str(), task.offset(1).unwrap()), ("k=in b", Some(2)));
    task.apply(&[put(1, "l", "more")], &[at(1, 3)]).unwrap();
    drop(task);
    let task = open(&stores, "t_0", &["a"]);
    assert_eq!((all(&*task, 0).as_str(), task.offset(0).unwrap()), ("k=in a", Some(1)), "kept while nobody listed it");
}

#[test]
fn a_task_is_open_once() {
    let root = tempdir().unwrap();
    let stores = stores(root.path());
    let task = open(&stores, "t_0", &["a"]);
    assert!(matches!(error(try_open(&stores, "t_0", &["a"])), StoreError::Locked { path } if path.ends_with("t_0")));
    assert!(matches!(error(stores.remove("t_0")), StoreError::Locked { .. }));
    drop(open(&stores, "t_1", &["a"]));
    drop(task);
    drop(open(&stores, "t_0", &["a"]));
    assert_eq!(stores.tasks().unwrap(), ["t_0", "t_1"]);
    stores.remove("t_0").unwrap();
    stores.remove("never there").unwrap();
    assert_eq!(stores.tasks().unwrap(), ["t_1"]);
}

/// Workers open and close their own tasks at once, and tasks may outlive the handle they came from.
#[test]
fn tasks_belong_to_threads() {
    let root = tempdir().unwrap();
    let stores = stores(root.path());
    thread::scope(|scope| {
        for worker in 0..4 {
            let stores = stores.clone();
            scope.spawn(move || {
                for round in 0..3_i64 {
                    let mut task = open(&stores, &format!("t_{worker}"), &["a", "b"]);
                    assert_eq!(task.offset(0).unwrap(), (round > 0).then_some(round));
                    task.apply(&[put(0, "k", "v")], &[at(0, round + 1)]).unwrap();
                }
            });
        }
    });
    let task = open(&stores, "t_0", &["a"]);
    drop(stores);
    assert!(matches!(
        error(headwater_store::RocksStores::open(root.path(), "app", crate::support::options())),
        StoreError::Locked { .. }
    ));
    drop(task);
    drop(crate::support::stores(root.path()));
}
