use headwater_core::port::{StateStores, StoreError, StoreRange};
use tempfile::tempdir;

use crate::support::{all, at, delete, error, open, put, scan, stores, try_open};

#[test]
fn what_was_applied_is_read() {
    let root = tempdir().unwrap();
    let mut task = open(&stores(root.path()), "t_0", &["a", "b"]);
    task.apply(&[put(0, "k", "1"), put(1, "k", "2"), put(0, "empty", "")], &[at(0, 3), at(1, 5)]).unwrap();
    assert_eq!(task.get(0, b"k").unwrap().unwrap(), "1");
    assert_eq!(task.get(1, b"k").unwrap().unwrap(), "2");
    assert_eq!(task.get(0, b"empty").unwrap().unwrap(), "", "an empty value is a value");
    assert_eq!(task.get(1, b"empty").unwrap(), None);

    task.apply(&[delete(0, "k"), put(0, "twice", "old"), put(0, "twice", "new")], &[at(0, 9)]).unwrap();
    assert_eq!(task.get(0, b"k").unwrap(), None);
    assert_eq!(task.get(0, b"twice").unwrap().unwrap(), "new", "the later change of one commit wins");
    assert_eq!((task.offset(0).unwrap(), task.offset(1).unwrap()), (Some(9), Some(5)));
}

#[test]
fn scans_keep_to_their_bounds() {
    let root = tempdir().unwrap();
    let mut task = open(&stores(root.path()), "t_0", &["a", "b"]);
    task.apply(&[put(0, "b", "2"), put(0, "", "0"), put(0, "a", "1"), put(0, "bb", "3"), put(1, "x", "y")], &[]).unwrap();
    let cases = [
        ("", None, "=0 a=1 b=2 bb=3"),
        ("a", None, "a=1 b=2 bb=3"),
        ("a", Some("b"), "a=1"),
        ("aa", Some("bb"), "b=2"),
        ("b", Some("b"), ""),
        ("c", Some("a"), ""),
        ("c", None, ""),
    ];
    for (from, to, expected) in cases {
        assert_eq!(scan(&*task, 0, from, to), expected, "{from:?} to {to:?}");
    }
}

#[test]
fn a_cleared_store_is_empty_and_the_others_are_not() {
    let root = tempdir().unwrap();
    let stores = stores(root.path());
    let mut task = open(&stores, "t_0", &["a", "b"]);
    task.apply(&[put(0, "", "first"), put(0, "\u{ff}\u{ff}", "last"), put(1, "k", "kept")], &[at(0, 1), at(1, 1)]).unwrap();
    task.flush().unwrap();
    task.apply(&[put(0, "unflushed", "v")], &[at(0, 2)]).unwrap();
    task.clear(0).unwrap();
    let check = |task: &dyn StateStores| {
        assert_eq!((all(task, 0).as_str(), task.offset(0).unwrap()), ("", None));
        assert_eq!((all(task, 1).as_str(), task.offset(1).unwrap()), ("k=kept", Some(1)));
    };
    check(&*task);
    drop(task);
    let mut task = open(&stores, "t_0", &["a", "b"]);
    check(&*task);
    task.clear(0).unwrap();
    task.apply(&[put(0, "again", "v")], &[at(0, 7)]).unwrap();
    assert_eq!((all(&*task, 0).as_str(), task.offset(0).unwrap()), ("again=v", Some(7)));
}

#[test]
fn an_unknown_store_is_refused_before_anything_is_written() {
    let root = tempdir().unwrap();
    let mut task = open(&stores(root.path()), "t_0", &["a"]);
    let failure = error(task.apply(&[put(0, "k", "v"), put(1, "k", "v")], &[at(0, 1)]));
    assert!(failure.to_string().contains("store 1 was asked for, but 1 are open"), "{failure}");
    assert!(failure.to_string().contains("t_0"), "the path is named: {failure}");
    assert_eq!((all(&*task, 0).as_str(), task.offset(0).unwrap()), ("", None));
    task.apply(&[put(0, "k", "v")], &[at(0, 1)]).unwrap();
}

#[test]
fn stores_without_a_usable_name_are_refused() {
    let root = tempdir().unwrap();
    let stores = stores(root.path());
    for names in [&["a", "a"][..], &[""], &["nul\0"]] {
        assert!(matches!(error(try_open(&stores, "t_0", names)), StoreError::Io { .. }), "{names:?}");
    }
    let mut task = open(&stores, "../a b", &["default", "offset:default"]);
    task.apply(&[put(0, "k", "v"), put(1, "k", "w")], &[at(0, 1), at(1, 2)]).unwrap();
    assert_eq!((all(&*task, 0), all(&*task, 1)), ("k=v".to_owned(), "k=w".to_owned()), "any other name is fine");
    assert_eq!((task.offset(0).unwrap(), task.offset(1).unwrap()), (Some(1), Some(2)));
}

#[test]
fn after_a_failed_write_nothing_is_answered() {
    let root = tempdir().unwrap();
    let stores = stores(root.path());
    let mut task = open(&stores, "t_0", &["a"]);
    task.apply(&[put(0, "k", "v")], &[at(0, 1)]).unwrap();
    // The flush finds no directory to write into.
    std::fs::remove_dir_all(stores.path().join("tasks/t_0")).unwrap();
    let first = error(task.flush()).to_string();
    let later = [
        error(task.get(0, b"k")),
        error(task.scan(0, StoreRange { from: b"", to: None })),
        error(task.apply(&[], &[])),
        error(task.offset(0)),
        error(task.clear(0)),
        error(task.flush()),
    ];
    let reason = first.split_once(": ").unwrap().1;
    for failure in later {
        assert!(failure.to_string().contains(&format!("closed after an earlier failure: {reason}")), "{failure} after {first}");
    }
    drop(task);
    assert_eq!(open(&stores, "t_0", &["a"]).offset(0).unwrap(), None, "opened anew, it is what the disk has");
}
