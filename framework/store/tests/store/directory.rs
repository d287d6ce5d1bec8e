use std::fs;
use std::path::Path;

use headwater_core::port::{OpenStore, StoreError, Stores};
use headwater_store::{LocalState, RocksStores};
use tempfile::tempdir;

use crate::children::{Child, child_root};
use crate::support::{error, options, stores};

fn foreign(root: &Path, app: &str) -> String {
    match error(RocksStores::open(root, app, options())) {
        failure @ StoreError::Foreign { .. } => failure.to_string(),
        other => panic!("{other}"),
    }
}

#[test]
fn a_second_process_is_refused() {
    let root = tempdir().unwrap();
    let stores = stores(root.path());
    assert!(Child::start("directory::child_meets_the_lock", root.path()).succeeds());
    drop(stores);
    assert!(!Child::start("directory::child_meets_the_lock", root.path()).succeeds(), "free again, so the child gets in");
}

#[test]
fn child_meets_the_lock() {
    let Some(root) = child_root() else { return };
    match error(RocksStores::open(&root, "app", options())) {
        StoreError::Locked { path } => assert_eq!(path, root.join("app").display().to_string()),
        other => panic!("{other}"),
    }
}

#[test]
fn the_lock_goes_with_a_killed_process() {
    let root = tempdir().unwrap();
    let mut child = Child::start("directory::child_holds_the_lock", root.path());
    child.read_lines(1);
    assert!(matches!(error(RocksStores::open(root.path(), "app", options())), StoreError::Locked { .. }));
    child.kill();
    drop(stores(root.path()));
}

#[test]
fn child_holds_the_lock() {
    let Some(root) = child_root() else { return };
    let _held = stores(&root);
    crate::children::say("locked");
    crate::children::wait_to_be_killed();
}

#[test]
fn another_format_is_refused() {
    let root = tempdir().unwrap();
    drop(stores(root.path()));
    let format = root.path().join("app/format");
    assert_eq!(fs::read_to_string(&format).unwrap(), "headwater-state 2\napp\n");

    fs::write(&format, "headwater-state 3\napp\n").unwrap();
    let message = foreign(root.path(), "app");
    assert!(message.contains(r#"found format 3 of application "app", expected format 2 of application "app""#), "{message}");

    fs::write(&format, "").unwrap();
    foreign(root.path(), "app");

    fs::remove_file(&format).unwrap();
    let message = foreign(root.path(), "app");
    assert!(message.contains("no format file"), "{message}");
}

#[test]
fn another_application_is_refused() {
    let root = tempdir().unwrap();
    drop(stores(root.path()));
    fs::rename(root.path().join("app"), root.path().join("other")).unwrap();
    let message = foreign(root.path(), "other");
    assert!(message.contains(r#"found format 2 of application "app", expected format 2 of application "other""#), "{message}");
}

#[test]
fn applications_share_a_root_and_instances_differ() {
    let root = tempdir().unwrap();
    let one = stores(root.path());
    let other = RocksStores::open(root.path(), "other", options()).unwrap();
    assert_ne!(one.instance_id(), other.instance_id());
    assert_eq!(one.instance_id().len(), 36);
    fs::write(root.path().join("other/instance"), "?").unwrap();
    drop(other);
    assert!(foreign(root.path(), "other").contains("expected a UUID"));
}

#[test]
fn errors_name_the_path() {
    let root = tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "").unwrap();
    let failure = error(RocksStores::open(&file, "app", options()));
    assert!(failure.to_string().contains(&file.join("app").display().to_string()), "{failure}");
}

#[test]
fn memos_are_kept_and_go() {
    let root = tempdir().unwrap();
    let stores = RocksStores::open(root.path(), "app", options()).unwrap();
    assert_eq!(stores.memo("failures.json").unwrap(), None);
    stores.set_memo("failures.json", Some("{}")).unwrap();
    drop(stores);
    let stores = RocksStores::open(root.path(), "app", options()).unwrap();
    assert_eq!(stores.memo("failures.json").unwrap().as_deref(), Some("{}"));
    stores.set_memo("failures.json", None).unwrap();
    stores.set_memo("failures.json", None).unwrap();
    assert_eq!(stores.memo("failures.json").unwrap(), None);
    assert!(stores.set_memo("format", Some("mine")).is_err());
}

#[test]
fn local_state_is_removed_when_nobody_uses_it() {
    let root = tempdir().unwrap();
    assert!(LocalState::find(root.path(), "app").unwrap().is_none());
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0, "looking makes nothing");
    let stores = RocksStores::open(root.path(), "app", options()).unwrap();
    drop(stores.open("t", &[OpenStore { name: "a".to_owned() }]).unwrap());
    assert!(matches!(LocalState::find(root.path(), "app"), Err(StoreError::Locked { .. })));
    drop(stores);
    let state = LocalState::find(root.path(), "app").unwrap().unwrap();
    assert!(matches!(RocksStores::open(root.path(), "app", options()), Err(StoreError::Locked { .. })));
    state.remove().unwrap();
    drop(state);
    let stores = RocksStores::open(root.path(), "app", options()).unwrap();
    assert_eq!(stores.tasks().unwrap(), [""; 0]);
    drop(stores);
    fs::rename(root.path().join("app"), root.path().join("other")).unwrap();
    assert!(matches!(LocalState::find(root.path(), "other"), Err(StoreError::Foreign { .. })));
}
