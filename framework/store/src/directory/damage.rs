//! A database that is known to be damaged says so in a file of its own, until it is put aside.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use headwater_core::port::StoreError;

use super::{StateDirectory, name, read_if_there, whole_file};
use crate::error;

const MARK: &str = "DAMAGED";

/// Remembers that the database at `path` is damaged.
pub(crate) fn mark(path: &Path, message: &str) -> Result<(), StoreError> {
    whole_file::write(&path.join(MARK), message)
}

/// What is wrong with the database at `path`, if that is known.
pub(crate) fn known(path: &Path) -> Result<Option<String>, StoreError> {
    read_if_there(&path.join(MARK))
}

impl StateDirectory {
    /// Moves a task's files to `damaged/<task>.corrupt-<n>` and answers where that is. Of one task only the newest is kept.
    pub(crate) fn put_aside(&self, task: &str) -> Result<PathBuf, StoreError> {
        let from = self.task(task)?;
        let aside = self.path().join("damaged");
        fs::create_dir_all(&aside).map_err(|failure| error::io(&aside, failure))?;
        let prefix = format!("{}.corrupt-", name::encode(task).unwrap_or_default());
        let mut last = 0;
        for entry in fs::read_dir(&aside).map_err(|failure| error::io(&aside, failure))? {
            let entry = entry.map_err(|failure| error::io(&aside, failure))?;
            let number = entry.file_name().to_str().and_then(|name| name.strip_prefix(&prefix)?.parse::<u64>().ok());
            if let Some(number) = number {
                last = last.max(number);
                let path = entry.path();
                fs::remove_dir_all(&path).map_err(|failure| error::io(&path, failure))?;
            }
        }
        let to = aside.join(format!("{prefix}{}", last + 1));
        match fs::rename(&from, &to) {
            Err(failure) if failure.kind() != ErrorKind::NotFound => Err(error::io(&from, failure)),
            _ => Ok(to),
        }
    }
}
