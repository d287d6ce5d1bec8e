//! Files as inputs: the rows of a file as the records that a live producer would have written to a topic.
//!
//! A row becomes one record: its value is a JSON object with a field per column, its key and time are taken from columns that are named.
//! Formats go by the file's name: CSV (`.csv`, `.tsv`), JSON lines (`.jsonl`, `.ndjson`, `.json`), and Parquet (`.parquet`, with the
//! feature `parquet`); CSV and JSON lines may be compressed (`.gz`).

#![warn(missing_docs)]

mod csv_rows;
mod error;
mod input;
mod json_lines;
mod json_text;
mod open;
mod options;
#[cfg(feature = "parquet")]
mod parquet_rows;
mod records;
mod row;

pub use error::{FileError, Place};
pub use input::{BadInput, FileInput};
pub use options::FileOptions;
pub use records::FileRecords;
