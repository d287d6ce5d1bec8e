//! The state directory of an application: `<root>/<app>/`, one process at a time.
//!
//! ```text
//! <root>/<app>/lock        held (flock) for as long as the process lives
//! <root>/<app>/format      format version and application, text
//! <root>/<app>/instance    this directory's id, a UUID: part of transactional ids
//! <root>/<app>/<memo>       small texts the engine keeps: `manifest.json`, `failures.json`
//! <root>/<app>/tasks/<task>/   one RocksDB per task
//! <root>/<app>/damaged/<task>.corrupt-<n>/   one that was damaged, for people to look at
//! ```

pub(crate) mod damage;
mod format;
mod instance;
mod lock;
mod name;
mod whole_file;
mod wipe;

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use headwater_core::port::StoreError;

pub use format::FORMAT_VERSION;

pub use wipe::LocalState;

use crate::error;

const TASKS: &str = "tasks";

/// A state directory this process has locked.
#[derive(Debug)]
pub(crate) struct StateDirectory {
    path: PathBuf,
    instance: String,
    /// Holds the lock; however the process ends, it goes with it.
    lock: File,
}

impl StateDirectory {
    /// Creates or takes `<root>/<app>`. Nothing in it is read or written before the lock is ours.
    pub(crate) fn open(root: &Path, app: &str) -> Result<Self, StoreError> {
        let name = name::encode(app).ok_or_else(|| error::io(root, "the application has an empty name"))?;
        let path = root.join(name);
        fs::create_dir_all(&path).map_err(|failure| error::io(&path, failure))?;
        let lock = lock::take(&path)?;
        format::check_or_write(&path, app, &path.join(TASKS))?;
        let instance = instance::read_or_create(&path)?;
        let tasks = path.join(TASKS);
        fs::create_dir_all(&tasks).map_err(|failure| error::io(&tasks, failure))?;
        Ok(Self { path, instance, lock })
    }

    /// `<root>/<app>`.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The id persisted in this directory.
    pub(crate) fn instance(&self) -> &str {
        &self.instance
    }

    /// A small text beside the tasks; none if there is none.
    pub(crate) fn memo(&self, name: &str) -> Result<Option<String>, StoreError> {
        read_if_there(&self.memo_path(name)?)
    }

    /// Keeps such a text, or removes it.
    pub(crate) fn set_memo(&self, name: &str, text: Option<&str>) -> Result<(), StoreError> {
        let path = self.memo_path(name)?;
        match text {
            Some(text) => whole_file::write(&path, text),
            None => match fs::remove_file(&path) {
                Err(failure) if failure.kind() != ErrorKind::NotFound => Err(error::io(&path, failure)),
                _ => Ok(()),
            },
        }
    }

    fn memo_path(&self, name: &str) -> Result<PathBuf, StoreError> {
        let ours = ["lock", "format", "instance", TASKS];
        match name::encode(name).filter(|name| !ours.contains(&name.as_str())) {
            Some(name) => Ok(self.path.join(name)),
            None => Err(error::io(&self.path, format!("{name:?} cannot be the name of a memo"))),
        }
    }

    /// Where a task's database is or will be.
    pub(crate) fn task(&self, task: &str) -> Result<PathBuf, StoreError> {
        let tasks = self.path.join(TASKS);
        name::encode(task).map(|name| tasks.join(name)).ok_or_else(|| error::io(&tasks, "a task has an empty name"))
    }

    /// The tasks that have state here, sorted.
    pub(crate) fn tasks(&self) -> Result<Vec<String>, StoreError> {
        let path = self.path.join(TASKS);
        let mut tasks = Vec::new();
        for entry in fs::read_dir(&path).map_err(|failure| error::io(&path, failure))? {
            let entry = entry.map_err(|failure| error::io(&path, failure))?;
            tasks.extend(entry.file_name().to_str().and_then(name::decode));
        }
        tasks.sort();
        Ok(tasks)
    }
}

impl Drop for StateDirectory {
    fn drop(&mut self) {
        // Closing is not enough: a child process that is just being started has a copy of the handle until its program
        // runs, and with it the lock.
        let _closed_anyway = self.lock.unlock();
    }
}

/// The content of a file, or none where there is none.
fn read_if_there(path: &Path) -> Result<Option<String>, StoreError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(failure) if failure.kind() == ErrorKind::NotFound => Ok(None),
        Err(failure) => Err(error::io(path, failure)),
    }
}
