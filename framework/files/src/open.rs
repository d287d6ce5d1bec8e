use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::csv_rows::CsvRows;
use crate::json_lines::JsonLines;
use crate::row::Rows;
use crate::{FileError, FileOptions};

/// Opens a file as what its name says it is.
pub(crate) fn open(path: &Path, options: &FileOptions) -> Result<Rows, FileError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let (name, is_packed) = name.strip_suffix(".gz").map_or((name.as_str(), false), |name| (name, true));
    let format = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match format {
        "csv" => Ok(Box::new(CsvRows::new(path, text(path, is_packed)?, b',', options)?)),
        "tsv" => Ok(Box::new(CsvRows::new(path, text(path, is_packed)?, b'\t', options)?)),
        "jsonl" | "ndjson" | "json" => Ok(Box::new(JsonLines::new(path, text(path, is_packed)?, options))),
        "parquet" if !is_packed => parquet(path, options),
        _ => Err(FileError::UnknownFormat { path: path.to_owned() }),
    }
}

fn text(path: &Path, is_packed: bool) -> Result<Box<dyn Read + Send>, FileError> {
    let file = File::open(path).map_err(|error| FileError::io(path, &error))?;
    Ok(if is_packed { Box::new(MultiGzDecoder::new(BufReader::new(file))) } else { Box::new(file) })
}

#[cfg(feature = "parquet")]
fn parquet(path: &Path, options: &FileOptions) -> Result<Rows, FileError> {
    let file = File::open(path).map_err(|error| FileError::io(path, &error))?;
    Ok(Box::new(crate::parquet_rows::ParquetRows::new(path, file, options)?))
}

#[cfg(not(feature = "parquet"))]
fn parquet(path: &Path, _options: &FileOptions) -> Result<Rows, FileError> {
    Err(FileError::NoParquet { path: path.to_owned() })
}
