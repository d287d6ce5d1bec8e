//! Damaged files are put aside and the task begins empty; what was wrong is told.

use std::fs;
use std::path::{Path, PathBuf};

use headwater_core::port::{StateStores, StoreError, StoreTrouble};
use headwater_store::RocksStores;
use tempfile::tempdir;

use crate::support::{all, at, error, open, put, stores};

/// A task with flushed values, closed.
fn written(stores: &RocksStores) -> PathBuf {
    let mut task = open(stores, "t_0", &["a"]);
    for number in 0..200 {
        // Nothing that compresses well: the values are to be most of the file.
        let digits = (0..60).map(|n: u64| (n + 1).wrapping_mul(number as u64 + 7).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let value: String = digits.map(|digits| format!("{digits:x}")).collect();
        task.apply(&[put(0, &format!("k{number:04}"), &value)], &[at(0, number)]).unwrap();
    }
    drop(task);
    stores.path().join("tasks/t_0")
}

fn files(database: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(database).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

/// The task opens empty, says why, and works; the old files are where it says.
#[track_caller]
fn is_put_aside(stores: &RocksStores, number: u32) {
    let mut task = open(stores, "t_0", &["a"]);
    let notes = task.take_notes();
    let aside = stores.path().join(format!("damaged/t_0.corrupt-{number}"));
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert_eq!(notes[0].0, StoreTrouble::Corrupt);
    assert!(notes[0].1.ends_with(&format!("the files are now in {}", aside.display())), "{}", notes[0].1);
    assert_eq!((all(&*task, 0).as_str(), task.offset(0).unwrap()), ("", None));
    assert!(!files(&aside, "sst").is_empty());
    assert_eq!(fs::read_dir(aside.parent().unwrap()).unwrap().count(), 1, "one is kept");
    assert_eq!(stores.tasks().unwrap(), ["t_0"]);
    task.apply(&[put(0, "again", "v")], &[at(0, 1)]).unwrap();
    drop(task);
    let mut task = open(stores, "t_0", &["a"]);
    assert_eq!((all(&*task, 0).as_str(), task.take_notes().len()), ("again=v", 0));
}

#[test]
fn a_database_that_does_not_open_is_put_aside() {
    let root = tempdir().unwrap();
    let stores = stores(root.path());
    let break_it: [fn(&Path); 3] = [
        |database| fs::write(database.join("CURRENT"), "nonsense").unwrap(),
        |database| {
            let manifest = fs::read_to_string(database.join("CURRENT")).unwrap();
            fs::remove_file(database.join(manifest.trim())).unwrap();
        },
        |database| {
            let table = files(database, "sst").remove(0);
            let half = fs::metadata(&table).unwrap().len() / 2;
            fs::File::options().write(true).open(&table).unwrap().set_len(half).unwrap();
        },
    ];
    for (number, break_it) in (1..).zip(break_it) {
        break_it(&written(&stores));
        is_put_aside(&stores, number);
    }
}

/// A task some of whose values have other bytes than were written.
fn spoiled(stores: &RocksStores) -> Box<dyn StateStores> {
    let database = written(stores);
    // The values come first in a file and its index last: the file still opens. The other file is that of the checkpoint.
    let table = files(&database, "sst").into_iter().max_by_key(|table| fs::metadata(table).unwrap().len()).unwrap();
    let mut bytes = fs::read(&table).unwrap();
    let third = bytes.len() / 3;
    bytes[..third].iter_mut().for_each(|byte| *byte ^= 0x55);
    fs::write(&table, bytes).unwrap();
    open(stores, "t_0", &["a"])
}

#[test]
fn a_failed_checksum_is_damage_too() {
    let root = tempdir().unwrap();
    let stores = stores(root.path());
    let task = spoiled(&stores);
    let failure = error(task.get(0, b"k0000"));
    assert!(matches!(failure, StoreError::Corrupt { .. }), "{failure}");
    assert!(failure.to_string().contains("is damaged"), "{failure}");
    let later = error(task.get(0, b"k0199"));
    assert!(later.to_string().contains("closed after an earlier failure"), "{later}");
    drop(task);
    is_put_aside(&stores, 1);
}

#[test]
fn it_is_also_where_several_keys_are_looked_up() {
    let root = tempdir().unwrap();
    let stores = stores(root.path());
    let task = spoiled(&stores);
    let failure = error(task.get_many(0, &[b"k0000", b"k0001"]));
    assert!(matches!(failure, StoreError::Corrupt { .. }), "{failure}");
    drop(task);
    is_put_aside(&stores, 1);
}
