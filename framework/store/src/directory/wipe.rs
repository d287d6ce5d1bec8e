use std::fs::{self, File};
use std::path::{Path, PathBuf};

use headwater_core::port::StoreError;

use super::{format, lock, name};
use crate::error;

/// The state directory of an application that is not running, locked: to see what is there, and to remove it.
#[derive(Debug)]
pub struct LocalState {
    path: PathBuf,
    /// Keeps every other process out for as long as this lives.
    lock: File,
}

impl LocalState {
    /// Takes `<root>/<app>`; none if there is no such directory. Nothing is made or changed.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while a process uses it, [`StoreError::Foreign`] when it says that it is another application's.
    pub fn find(root: &Path, app: &str) -> Result<Option<LocalState>, StoreError> {
        let name = name::encode(app).ok_or_else(|| error::io(root, "the application has an empty name"))?;
        let path = root.join(name);
        if !path.try_exists().map_err(|failure| error::io(&path, failure))? {
            return Ok(None);
        }
        let lock = lock::take(&path)?;
        match format::owner(&path)? {
            Some(owner) if owner != app => {
                Err(error::foreign(&path, format!("it belongs to application {owner:?}, not to {app:?}")))
            }
            _ => Ok(Some(LocalState { path, lock })),
        }
    }

    /// The directory, `<root>/<app>`.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes everything in it but the lock, which must not change its file while somebody may wait for it.
    ///
    /// # Errors
    /// [`StoreError::Io`] names what could not be removed; it can be tried again.
    pub fn remove(&self) -> Result<(), StoreError> {
        for entry in fs::read_dir(&self.path).map_err(|failure| error::io(&self.path, failure))? {
            let entry = entry.map_err(|failure| error::io(&self.path, failure))?;
            let path = entry.path();
            if entry.file_name() == "lock" {
                continue;
            }
            let kind = entry.file_type().map_err(|failure| error::io(&path, failure))?;
            let removed = if kind.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(|failure| error::io(&path, failure))?;
        }
        Ok(())
    }
}

impl Drop for LocalState {
    fn drop(&mut self) {
        // As for a running process' directory: a child process being started may hold a copy of the handle.
        let _closed_anyway = self.lock.unlock();
    }
}
