//! CSV: a header line with the columns' names, then a row per record. Fields may be quoted and have line breaks in them.

use std::io::Read;
use std::path::{Path, PathBuf};

use csv::{ErrorKind, StringRecord};

use crate::row::{Row, string};
use crate::{FileError, FileOptions, json_text};

pub(crate) struct CsvRows {
    path: PathBuf,
    reader: csv::Reader<Box<dyn Read + Send>>,
    columns: Vec<Column>,
    key: Option<usize>,
    time: Option<usize>,
    nulls: Vec<String>,
    record: StringRecord,
}

struct Column {
    /// Its name as JSON, with the colon behind.
    label: Vec<u8>,
    /// Whether it is text whatever it looks like.
    is_text: bool,
}

impl CsvRows {
    /// Reads the header.
    pub(crate) fn new(
        path: &Path,
        file: Box<dyn Read + Send>,
        delimiter: u8,
        options: &FileOptions,
    ) -> Result<CsvRows, FileError> {
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(file);
        let header = reader.headers().map_err(|error| wrong(path, &error))?.clone();
        let known: Vec<String> = header.iter().map(str::to_owned).collect();
        if let Some((_, column)) = known.iter().enumerate().find(|(at, column)| known[..*at].contains(column)) {
            return Err(FileError::SameColumn { path: path.to_owned(), column: column.clone() });
        }
        let position = |column: &String| {
            let missing = || FileError::NoColumn { path: path.to_owned(), column: column.clone(), known: known.clone() };
            known.iter().position(|name| name == column).ok_or_else(missing)
        };
        options.texts.iter().try_for_each(|column| position(column).map(drop))?;
        let column = |name: &String| {
            let mut label = Vec::new();
            string(name, &mut label);
            label.push(b':');
            Column { label, is_text: options.texts.contains(name) }
        };
        Ok(CsvRows {
            columns: known.iter().map(column).collect(),
            key: options.key.as_ref().map(position).transpose()?,
            time: options.time.as_ref().map(position).transpose()?,
            nulls: options.null_words().into_iter().map(str::to_owned).collect(),
            path: path.to_owned(),
            reader,
            record: StringRecord::new(),
        })
    }

    fn row(&self) -> Row {
        let mut value = vec![b'{'];
        for (number, (column, field)) in self.columns.iter().zip(&self.record).enumerate() {
            if number > 0 {
                value.push(b',');
            }
            value.extend_from_slice(&column.label);
            self.append(column, field, &mut value);
        }
        value.push(b'}');
        let line = self.record.position().map_or(0, csv::Position::line);
        let text = |column: usize| self.record.get(column).filter(|text| !self.is_null(text)).map(str::to_owned);
        Row { line, value, key: self.key.and_then(text), time: self.time.and_then(text) }
    }

    fn append(&self, column: &Column, field: &str, json: &mut Vec<u8>) {
        let is_plain = !column.is_text && (matches!(field, "true" | "false") || json_text::is_number(field));
        if self.is_null(field) {
            json.extend_from_slice(b"null");
        } else if is_plain {
            json.extend_from_slice(field.as_bytes());
        } else {
            string(field, json);
        }
    }

    fn is_null(&self, text: &str) -> bool {
        self.nulls.iter().any(|word| word == text)
    }
}

impl Iterator for CsvRows {
    type Item = Result<Row, FileError>;

    fn next(&mut self) -> Option<Result<Row, FileError>> {
        match self.reader.read_record(&mut self.record) {
            Ok(true) => Some(Ok(self.row())),
            Ok(false) => None,
            Err(error) => Some(Err(wrong(&self.path, &error))),
        }
    }
}

fn wrong(path: &Path, error: &csv::Error) -> FileError {
    let line = error.position().map_or(0, csv::Position::line);
    match error.kind() {
        ErrorKind::Io(error) => FileError::io(path, error),
        ErrorKind::UnequalLengths { expected_len, len, .. } => FileError::row(
            path,
            line,
            format!("it has {len} fields and the header {expected_len}: correct the line, or quote the field with a comma in it"),
        ),
        ErrorKind::Utf8 { err, .. } => {
            FileError::row(path, line, format!("field {} is not UTF-8: convert the file", err.field() + 1))
        }
        _ => FileError::row(path, line, error.to_string()),
    }
}
