use std::fs::{File, TryLockError};
use std::path::Path;

use headwater_core::port::StoreError;

use crate::error;

/// Takes the lock of a state directory, or fails at once when another process (or this one, elsewhere) has it.
///
/// The file stays behind when the lock goes: removing it would let two processes lock two different files of one name.
pub(super) fn take(directory: &Path) -> Result<File, StoreError> {
    let path = directory.join("lock");
    let file =
        File::options().create(true).truncate(false).write(true).open(&path).map_err(|failure| error::io(&path, failure))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(error::locked(directory)),
        Err(TryLockError::Error(failure)) => Err(error::io(&path, failure)),
    }
}
