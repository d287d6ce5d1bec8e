use std::borrow::Cow;

use crate::FileError;

/// A row: its value as JSON, and the columns that matter beside it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The line it begins in, from 1.
    pub(crate) line: u64,
    /// A JSON value.
    pub(crate) value: Vec<u8>,
    /// The text of the key's column; none if it is null, or none was named.
    pub(crate) key: Option<String>,
    /// The same of the time's column.
    pub(crate) time: Option<String>,
}

/// A file's rows, in its order. After an error there may be more, but whoever reads them stops.
pub(crate) type Rows = Box<dyn Iterator<Item = Result<Row, FileError>>>;

/// Appends `text` as a JSON string.
pub(crate) fn string(text: &str, json: &mut Vec<u8>) {
    json.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
}

/// The text of a JSON value as a key or a time: a string's is what is in it. None for null.
pub(crate) fn text_of(value: &serde_json::Value) -> Option<Cow<'_, str>> {
    match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(Cow::Borrowed(text)),
        other => Some(Cow::Owned(other.to_string())),
    }
}
