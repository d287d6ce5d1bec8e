/// How the rows of a file become records.
///
/// ```
/// use headwater_files::FileOptions;
///
/// let options = FileOptions::new().key("tailnum").time("time_hour");
/// assert_eq!(options.null_words(), ["", "NA"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileOptions {
    pub(crate) key: Option<String>,
    pub(crate) time: Option<String>,
    pub(crate) texts: Vec<String>,
    pub(crate) nulls: Vec<String>,
}

impl FileOptions {
    /// No key, no time, and in CSV the words "" and `NA` for null.
    pub fn new() -> FileOptions {
        FileOptions::default()
    }

    /// The column with the key, read as `state get` reads keys: text as it is for `String`, digits for integers. A row where it is null becomes
    /// a record without key. Default: none, which only an input with keys of type `()` can do with.
    pub fn key(mut self, column: &str) -> FileOptions {
        self.key = Some(column.to_owned());
        self
    }

    /// The column with the record's timestamp: RFC 3339, a date, or milliseconds since 1970. Default: none, so that the input's own
    /// `.timestamp(...)` has to find it in the value.
    pub fn time(mut self, column: &str) -> FileOptions {
        self.time = Some(column.to_owned());
        self
    }

    /// A column of a CSV file that is text whatever it looks like; can be said of several. Default: what looks like a JSON number, `true` or
    /// `false` is one.
    pub fn text(mut self, column: &str) -> FileOptions {
        self.texts.push(column.to_owned());
        self
    }

    /// A word that means null in a CSV file; can be said of several, and then the usual ones ("" and `NA`) no longer do.
    pub fn null(mut self, word: &str) -> FileOptions {
        self.nulls.push(word.to_owned());
        self
    }

    /// The words that mean null in a CSV file.
    pub fn null_words(&self) -> Vec<&str> {
        if self.nulls.is_empty() { vec!["", "NA"] } else { self.nulls.iter().map(String::as_str).collect() }
    }
}
