//! JSON lines: a JSON value per line, taken as it is.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::Place;
use crate::row::{Row, text_of};
use crate::{FileError, FileOptions};

pub(crate) struct JsonLines {
    path: PathBuf,
    reader: BufReader<Box<dyn Read + Send>>,
    key: Option<String>,
    time: Option<String>,
    line: u64,
}

impl JsonLines {
    pub(crate) fn new(path: &Path, file: Box<dyn Read + Send>, options: &FileOptions) -> JsonLines {
        let (key, time) = (options.key.clone(), options.time.clone());
        JsonLines { path: path.to_owned(), reader: BufReader::new(file), key, time, line: 0 }
    }

    fn row(&self, text: &[u8]) -> Result<Row, FileError> {
        let json: Value = serde_json::from_slice(text).map_err(|error| {
            FileError::row(&self.path, self.line, format!("it is no JSON value ({error}): each line must be one, whole"))
        })?;
        let field = |column: &Option<String>| column.as_ref().map_or(Ok(None), |column| self.field(&json, column));
        Ok(Row { line: self.line, value: text.to_vec(), key: field(&self.key)?, time: field(&self.time)? })
    }

    fn field(&self, json: &Value, column: &str) -> Result<Option<String>, FileError> {
        let missing = || FileError::Value {
            place: Place { path: self.path.clone(), line: self.line },
            column: column.to_owned(),
            message: String::from("the line has no such field; where there is nothing to say, write null"),
        };
        Ok(text_of(json.get(column).ok_or_else(missing)?).map(|text| text.into_owned()))
    }
}

impl Iterator for JsonLines {
    type Item = Result<Row, FileError>;

    fn next(&mut self) -> Option<Result<Row, FileError>> {
        let mut text = Vec::new();
        loop {
            text.clear();
            self.line += 1;
            match self.reader.read_until(b'\n', &mut text) {
                Ok(0) => return None,
                Ok(_) if text.trim_ascii().is_empty() => {}
                Ok(_) => return Some(self.row(text.trim_ascii())),
                Err(error) => return Some(Err(FileError::io(&self.path, &error))),
            }
        }
    }
}
