use headwater_core::Record;

/// The rows of a file as the records of an input, in the file's order. An error is its text: it names the file, the row and the column.
pub type Rows = Box<dyn Iterator<Item = Result<Record, String>>>;

/// Opens a file at its beginning; called again where something is tried again. It must give the same rows each time.
pub type OpenRows<'a> = &'a dyn Fn() -> Result<Rows, String>;
