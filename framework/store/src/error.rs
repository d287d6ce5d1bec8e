//! How failures become the port's errors: every one names the path it is about.

use std::fmt::Display;
use std::path::Path;

use headwater_core::port::StoreError;

/// Reading or writing `path` failed.
pub(crate) fn io(path: &Path, message: impl Display) -> StoreError {
    StoreError::Io { path: path.display().to_string(), message: message.to_string() }
}

/// The files at `path` are damaged.
pub(crate) fn corrupt(path: &Path, message: impl Display) -> StoreError {
    StoreError::Corrupt { path: path.display().to_string(), message: message.to_string() }
}

/// `path` holds something this program must not touch.
pub(crate) fn foreign(path: &Path, message: impl Display) -> StoreError {
    StoreError::Foreign { path: path.display().to_string(), message: message.to_string() }
}

/// Somebody else has `path` open.
pub(crate) fn locked(path: &Path) -> StoreError {
    StoreError::Locked { path: path.display().to_string() }
}
