//! Parquet files as records. Only with the feature.
#![cfg(feature = "parquet")]

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use headwater_core::{Blueprint, Record, Topology};
use headwater_files::{FileError, FileOptions, FileRecords};
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

const SCHEMA: &str = "message flights {
    required binary tailnum (UTF8);
    optional int32 dep_delay;
    required double distance;
    required int64 at (TIMESTAMP(MILLIS, true));
    required int64 seen (TIMESTAMP(NANOS, true));
    required int32 day (DATE);
}";

fn write(path: &Path, compression: Compression) {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut file = SerializedFileWriter::new(File::create(path).unwrap(), schema, properties).unwrap();
    let mut group = file.next_row_group().unwrap();
    let mut number = 0;
    while let Some(mut column) = group.next_column().unwrap() {
        match number {
            0 => drop(
                column.typed::<ByteArrayType>().write_batch(&[ByteArray::from("N1"), ByteArray::from("N2")], None, None).unwrap(),
            ),
            1 => drop(column.typed::<Int32Type>().write_batch(&[-3], Some(&[1, 0]), None).unwrap()),
            2 => drop(column.typed::<DoubleType>().write_batch(&[200.5, f64::NAN], None, None).unwrap()),
            3 => drop(column.typed::<Int64Type>().write_batch(&[1000, 1_357_016_400_123], None, None).unwrap()),
            4 => drop(column.typed::<Int64Type>().write_batch(&[1_500_000_000, 0], None, None).unwrap()),
            _ => drop(column.typed::<Int32Type>().write_batch(&[0, 15706], None, None).unwrap()),
        }
        column.close().unwrap();
        number += 1;
    }
    group.close().unwrap();
    file.close().unwrap();
}

fn read(path: &Path, options: &FileOptions) -> Result<Vec<Record>, FileError> {
    let blueprint = Blueprint::of("app", |t: &mut Topology| t.input::<String, serde_json::Value>("flights").to("out"));
    FileRecords::open(path, options, &blueprint.unwrap().declared_input("flights").unwrap())?.collect()
}

#[test]
fn rows_are_objects_with_moments_as_text() {
    let directory = tempfile::TempDir::new().unwrap();
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::ZSTD(Default::default())] {
        let path = directory.path().join("flights.parquet");
        write(&path, compression);
        let records = read(&path, &FileOptions::new().key("tailnum").time("at")).unwrap();
        let value = |record: &Record| -> serde_json::Value { serde_json::from_slice(record.value.as_ref().unwrap()).unwrap() };
        assert_eq!(
            value(&records[0]),
            serde_json::json!({"tailnum": "N1", "dep_delay": -3, "distance": 200.5, "at": "1970-01-01T00:00:01Z", "seen": "1970-01-01T00:00:01.500Z", "day": "1970-01-01"})
        );
        assert_eq!(
            value(&records[1]),
            serde_json::json!({"tailnum": "N2", "dep_delay": null, "distance": null, "at": "2013-01-01T05:00:00.123Z", "seen": "1970-01-01T00:00:00Z", "day": "2013-01-01"})
        );
        assert_eq!(records[1].key.as_deref(), Some(b"N2".as_slice()));
        assert_eq!(records.iter().map(|record| record.timestamp.as_millis()).collect::<Vec<_>>(), [1000, 1_357_016_400_123]);
        let by_day = read(&path, &FileOptions::new().key("tailnum").time("day")).unwrap();
        assert_eq!(by_day[1].timestamp.as_millis(), 1_356_998_400_000);
        let error = read(&path, &FileOptions::new().key("tail").time("at")).unwrap_err().to_string();
        assert!(error.contains("no column \"tail\"") && error.contains("tailnum, dep_delay"), "{error}");
    }
    let path = directory.path().join("no.parquet");
    std::fs::write(&path, "this is no Parquet").unwrap();
    let error = read(&path, &FileOptions::new().key("tailnum").time("at")).unwrap_err();
    assert!(error.to_string().contains("no.parquet"), "{error}");
}
