use std::fmt;

use serde_json::Value;

/// One value of one layer, by its flat key.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// `section.name`; a librdkafka option keeps its own dots after `kafka.rdkafka.`.
    pub key: String,
    /// The value as written.
    pub value: Value,
    /// Where it was written.
    pub origin: Origin,
}

impl Entry {
    /// A value given by a flag, named as the person typed it: `--bootstrap`.
    pub fn flag(flag: &str, key: &str, value: &str) -> Entry {
        Entry { key: key.to_owned(), value: Value::from(value), origin: Origin::Flag(flag.to_owned()) }
    }
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// A file, by its path.
    File(String),
    /// An environment variable, by its name.
    Environment(String),
    /// A flag, by its name.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path) => write!(f, "file {path}"),
            Origin::Environment(name) => write!(f, "env {name}"),
            Origin::Flag(name) => write!(f, "flag {name}"),
        }
    }
}
