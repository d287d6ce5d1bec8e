//! Directories written by older versions. `fixtures/format-1` was left by the flights application (format 1) when it was killed.

use std::fs;
use std::path::Path;

use headwater_core::port::{Checkpoint, StoreTrouble};
use headwater_store::RocksStores;
use tempfile::tempdir;

use crate::support::{all, at, options, try_open};

const NAMES: [&str; 2] = ["airlines", "carriers"];

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn format_1_is_read_and_written_on_as_the_current_one() {
    let root = tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/format-1"), root.path());
    let stores = RocksStores::open(root.path(), "flights", options()).unwrap();
    assert_eq!(fs::read_to_string(stores.path().join("format")).unwrap(), "headwater-state 2\nflights\n");

    let mut task = try_open(&stores, "by-carrier-0", &NAMES).unwrap();
    let notes = task.take_notes();
    assert_eq!(notes.iter().map(|note| note.0).collect::<Vec<_>>(), [StoreTrouble::OlderFormat]);
    let (airlines, carriers) = (task.checkpoint(0).unwrap(), task.checkpoint(1).unwrap());
    assert_eq!((airlines, carriers), (Some(Checkpoint::at(AIRLINES)), Some(Checkpoint::at(CARRIERS))));
    assert!(all(&*task, 0).contains("Airlines"), "{}", all(&*task, 0));
    task.apply(&[], &[at(0, AIRLINES), at(1, CARRIERS + 1)]).unwrap();
    drop(task);
    drop(stores);

    let stores = RocksStores::open(root.path(), "flights", options()).unwrap();
    let mut task = try_open(&stores, "by-carrier-0", &NAMES).unwrap();
    assert_eq!((task.take_notes().len(), task.offset(1).unwrap()), (0, Some(CARRIERS + 1)));
}

const AIRLINES: i64 = 3;
const CARRIERS: i64 = 391;
