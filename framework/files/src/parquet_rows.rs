//! Parquet: an object per row, dates and moments as RFC 3339 text.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use headwater_core::Timestamp;
use parquet::basic::{LogicalType, TimeUnit};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row as ParquetRow};
use serde_json::{Map, Number, Value};

use crate::error::Place;
use crate::row::{Row, text_of};
use crate::{FileError, FileOptions};

const DAY: i64 = 86_400_000;

pub(crate) struct ParquetRows {
    path: PathBuf,
    rows: RowIter<'static>,
    key: Option<String>,
    time: Option<String>,
    /// Columns with nanoseconds since 1970, which rows have as bare numbers.
    nanos: BTreeSet<String>,
    line: u64,
}

impl ParquetRows {
    /// Reads the schema.
    pub(crate) fn new(path: &Path, file: File, options: &FileOptions) -> Result<ParquetRows, FileError> {
        let wrong = |error: parquet::errors::ParquetError| FileError::Io { path: path.to_owned(), message: error.to_string() };
        let reader = SerializedFileReader::new(file).map_err(wrong)?;
        let schema = reader.metadata().file_metadata().schema_descr();
        let known: Vec<String> = schema.root_schema().get_fields().iter().map(|field| field.name().to_owned()).collect();
        let mut named = [&options.key, &options.time].into_iter().flatten();
        if let Some(column) = named.find(|column| !known.contains(column)) {
            return Err(FileError::NoColumn { path: path.to_owned(), column: column.clone(), known });
        }
        let is_nanos =
            |kind: Option<&LogicalType>| matches!(kind, Some(LogicalType::Timestamp(time)) if time.unit == TimeUnit::NANOS);
        let nanos =
            schema.columns().iter().filter(|column| column.path().parts().len() == 1 && is_nanos(column.logical_type_ref()));
        let nanos = nanos.map(|column| column.name().to_owned()).collect();
        let (key, time) = (options.key.clone(), options.time.clone());
        Ok(ParquetRows { path: path.to_owned(), rows: reader.into_iter(), key, time, nanos, line: 0 })
    }

    fn row(&self, row: &ParquetRow) -> Result<Row, FileError> {
        let mut object = Map::new();
        for (column, field) in row.get_column_iter() {
            let value = match field {
                Field::Long(nanos) if self.nanos.contains(column) => moment(nanos.div_euclid(1_000_000)),
                field => json(field).map_err(|message| self.value(column, message))?,
            };
            object.insert(column.clone(), value);
        }
        let text = |column: &Option<String>| {
            let value = column.as_ref().and_then(|column| object.get(column));
            value.and_then(text_of).map(|text| text.into_owned())
        };
        let (key, time) = (text(&self.key), text(&self.time));
        Ok(Row { line: self.line, value: Value::Object(object).to_string().into_bytes(), key, time })
    }

    fn value(&self, column: &str, message: String) -> FileError {
        FileError::Value { place: Place { path: self.path.clone(), line: self.line }, column: column.to_owned(), message }
    }
}

impl Iterator for ParquetRows {
    type Item = Result<Row, FileError>;

    fn next(&mut self) -> Option<Result<Row, FileError>> {
        let row = self.rows.next()?;
        self.line += 1;
        Some(match row {
            Ok(row) => self.row(&row),
            Err(error) => Err(FileError::row(&self.path, self.line, error.to_string())),
        })
    }
}

fn json(field: &Field) -> Result<Value, String> {
    // JSON has no infinities and no NaN, which is what some writers put where there is nothing.
    let float = |number: f64| Number::from_f64(number).map_or(Value::Null, Value::Number);
    Ok(match field {
        Field::Null => Value::Null,
        Field::Bool(value) => Value::from(*value),
        Field::Byte(number) => Value::from(*number),
        Field::Short(number) => Value::from(*number),
        Field::Int(number) => Value::from(*number),
        Field::Long(number) => Value::from(*number),
        Field::UByte(number) => Value::from(*number),
        Field::UShort(number) => Value::from(*number),
        Field::UInt(number) => Value::from(*number),
        Field::ULong(number) => Value::from(*number),
        Field::Float16(number) => float(f64::from(*number)),
        Field::Float(number) => float(f64::from(*number)),
        Field::Double(number) => float(*number),
        Field::Str(text) => Value::from(text.as_str()),
        Field::Bytes(bytes) => Value::from(
            bytes.as_utf8().map_err(|_| String::from("it has bytes that are no text: leave the column out of the file"))?,
        ),
        // The date alone, of a moment as RFC 3339 has it.
        Field::Date(days) => Value::from(Timestamp::from_millis(i64::from(*days) * DAY).to_string().split('T').next()),
        Field::TimestampMillis(millis) => moment(*millis),
        Field::TimestampMicros(micros) => moment(micros.div_euclid(1000)),
        Field::Group(row) => {
            let fields = row.get_column_iter().map(|(name, field)| Ok((name.clone(), json(field)?)));
            Value::Object(fields.collect::<Result<_, String>>()?)
        }
        Field::ListInternal(list) => list.elements().iter().map(json).collect::<Result<_, _>>()?,
        Field::MapInternal(map) => {
            let name = |key: &Field| Ok::<_, String>(text_of(&json(key)?).unwrap_or_default().into_owned());
            let entries = map.entries().iter().map(|(key, value)| Ok((name(key)?, json(value)?)));
            Value::Object(entries.collect::<Result<_, String>>()?)
        }
        // Decimals and times of day: as text, exact.
        other => Value::from(other.to_string()),
    })
}

fn moment(millis: i64) -> Value {
    Value::from(Timestamp::from_millis(millis).to_string())
}
