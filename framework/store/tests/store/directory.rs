use std::fs;
use std::path::Path;

use headwater_core::port::StoreError;
use headwater_store::RocksStores;
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
