use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use headwater_core::port::StoreError;

use crate::error;

/// Writes a small file so that a crash leaves either all of it or nothing: beside it, synced, then renamed.
pub(super) fn write(path: &Path, text: &str) -> Result<(), StoreError> {
    try_write(path, text).map_err(|failure| error::io(path, failure))
}

fn try_write(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    match path.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}
