use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A row of a file, as its reader would look it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The line it begins in, from 1; in Parquet, which has no lines, the row, from 1.
    pub line: u64,
}

/// `flights.csv, line 5`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", self.path.display(), self.line)
    }
}

/// Why a file cannot be read as an input.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum FileError {
    /// Opening or reading failed.
    #[error("{}: {message}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        message: String,
    },
    /// The name does not say what is in it.
    #[error(
        "{}: the name does not say what format it has; call it .csv, .tsv, .jsonl, .ndjson or .json (each may have .gz behind), or .parquet",
        path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// This binary does not read it.
    #[error("{}: this binary does not read Parquet; build it with the feature `parquet` of headwater, or convert the file to CSV or JSON lines", path.display())]
    NoParquet {
        /// The file.
        path: PathBuf,
    },
    /// A column that was named is not there.
    #[error("{}: there is no column {column:?}; there are: {}", path.display(), known.join(", "))]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Those of the header.
        known: Vec<String>,
    },
    /// A header that would lose a column.
    #[error("{}: the header has the column {column:?} twice: rename one of them", path.display())]
    SameColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// An input needs a key, and nobody said where it is.
    #[error("{}: input {input:?} has keys of type {key}: say which column has them, {input}={},key=COLUMN", path.display(), path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
        /// The input.
        input: String,
        /// The type of its keys.
        key: String,
    },
    /// An input needs a time, and nobody said where it is.
    #[error(
        "{}: input {input:?} takes event time from its records' timestamps, and a file has none: say which column has it, {input}={},time=COLUMN, \
         or give the input a `.timestamp(...)`",
        path.display(), path.display()
    )]
    NoTime {
        /// The file.
        path: PathBuf,
        /// The input.
        input: String,
    },
    /// A row that cannot be read.
    #[error("{place}: {message}")]
    Row {
        /// Where.
        place: Place,
        /// What is wrong, and what to do.
        message: String,
    },
    /// A value of a row that is not what its column should have.
    #[error("{place}, column {column:?}: {message}")]
    Value {
        /// Where.
        place: Place,
        /// The column.
        column: String,
        /// What is wrong.
        message: String,
    },
}

impl FileError {
    pub(crate) fn io(path: &Path, error: &std::io::Error) -> FileError {
        FileError::Io { path: path.to_owned(), message: error.to_string() }
    }

    pub(crate) fn row(path: &Path, line: u64, message: impl Into<String>) -> FileError {
        FileError::Row { place: Place { path: path.to_owned(), line }, message: message.into() }
    }
}
