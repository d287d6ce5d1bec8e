use std::path::PathBuf;

use bytes::Bytes;
use headwater_core::{DeclaredInput, Record, Timestamp};

use crate::error::Place;
use crate::open::open;
use crate::row::{Row, Rows};
use crate::{FileError, FileOptions};

/// What stands for no time, and for 1970-01-01T00:00:00Z: Kafka's client takes 0 for "now", so that the adapter writes 1 ms instead, and
/// a row must be the same whether it was written or not.
const EARLIEST: Timestamp = Timestamp::from_millis(1);

/// A file's rows as records of an input, in the file's order. A record's offset is its row's number, from 0. The earliest timestamp
/// is 1 ms after 1970 began: Kafka's client takes 0 for "now".
pub struct FileRecords {
    path: PathBuf,
    options: FileOptions,
    input: DeclaredInput,
    rows: Rows,
    next: i64,
}

impl FileRecords {
    /// Opens a file for an input. Nothing is read yet but a header.
    ///
    /// # Errors
    /// The file cannot be opened, has no such columns, or the options leave open what the input needs.
    pub fn open(path: impl Into<PathBuf>, options: &FileOptions, input: &DeclaredInput) -> Result<FileRecords, FileError> {
        let path = path.into();
        if options.key.is_none() && input.key != "()" {
            return Err(FileError::NoKey { path, input: input.topic.clone(), key: input.key.clone() });
        }
        // A table's records move no time: they may all be of its beginning.
        if options.time.is_none() && input.is_record_time && !input.is_table {
            return Err(FileError::NoTime { path, input: input.topic.clone() });
        }
        let rows = open(&path, options)?;
        Ok(FileRecords { path, options: options.clone(), input: input.clone(), rows, next: 0 })
    }

    fn record(&mut self, row: Row) -> Result<Record, FileError> {
        let (key, timestamp) = (self.key(&row)?, self.timestamp(&row)?);
        let offset = self.next;
        self.next += 1;
        Ok(Record { offset, timestamp, key, value: Some(row.value.into()), headers: Vec::new() })
    }

    fn key(&self, row: &Row) -> Result<Option<Bytes>, FileError> {
        let Some(column) = &self.options.key else { return Ok(Some(Bytes::new())) };
        let read = |text: &String| {
            let wrong = |error: headwater_core::CodecError| self.value(row, column, error.to_string());
            self.input.read_key(text).map(Bytes::from).map_err(wrong)
        };
        row.key.as_ref().map(read).transpose()
    }

    fn timestamp(&self, row: &Row) -> Result<Timestamp, FileError> {
        let Some(column) = &self.options.time else { return Ok(EARLIEST) };
        let nothing = || self.value(row, column, String::from("there is no time: give it one, or leave the row out"));
        let text = row.time.as_ref().ok_or_else(nothing)?;
        let time: Timestamp = text.parse().map_err(|error| self.value(row, column, format!("{text:?}: {error}")))?;
        if time.as_millis() < 0 {
            return Err(self.value(row, column, format!("{text:?} is before 1970, which a record's timestamp cannot be")));
        }
        Ok(time.max(EARLIEST))
    }

    fn value(&self, row: &Row, column: &str, message: String) -> FileError {
        FileError::Value { place: Place { path: self.path.clone(), line: row.line }, column: column.to_owned(), message }
    }
}

impl Iterator for FileRecords {
    type Item = Result<Record, FileError>;

    fn next(&mut self) -> Option<Result<Record, FileError>> {
        let row = self.rows.next()?;
        Some(row.and_then(|row| self.record(row)))
    }
}
