//! The one rule for reading values: every value has a text form, and that is what a file, a variable and a flag hold.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::de::{Deserializer, Error as _, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A value with a text form.
pub trait Text: Sized {
    /// Reads the text form; the error says what was expected.
    fn parse(text: &str) -> Result<Self, String>;
    /// Writes the text form; `parse` reads it back.
    fn write(&self) -> String;
}

impl Text for String {
    fn parse(text: &str) -> Result<String, String> {
        Ok(text.to_owned())
    }
    fn write(&self) -> String {
        self.clone()
    }
}

impl Text for PathBuf {
    fn parse(text: &str) -> Result<PathBuf, String> {
        if text.is_empty() { Err(String::from("expected a path")) } else { Ok(PathBuf::from(text)) }
    }
    fn write(&self) -> String {
        self.display().to_string()
    }
}

/// `#[serde(with)]` for a mandatory value.
pub(super) mod one {
    use super::*;

    pub(in crate::config) fn serialize<T: Text, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&value.write())
    }

    pub(in crate::config) fn deserialize<'de, T: Text, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        let scalar = Scalar::deserialize(deserializer)?;
        T::parse(&scalar.0).map_err(D::Error::custom)
    }
}

/// `#[serde(with)]` for an optional value. Empty text is no value: a deployment template can then always set the variable.
pub(super) mod optional {
    use super::*;

    pub(in crate::config) fn serialize<T: Text, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(Text::write).serialize(serializer)
    }

    pub(in crate::config) fn deserialize<'de, T: Text, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
        match Option::<Scalar>::deserialize(deserializer)? {
            Some(scalar) if !scalar.0.is_empty() => T::parse(&scalar.0).map(Some).map_err(D::Error::custom),
            _ => Ok(None),
        }
    }
}

/// `#[serde(with)]` for options passed on as they are.
pub(super) mod map {
    use super::*;

    pub(in crate::config) fn serialize<S: Serializer>(map: &BTreeMap<String, String>, serializer: S) -> Result<S::Ok, S::Error> {
        map.serialize(serializer)
    }

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<BTreeMap<String, String>, D::Error> {
        let scalars = BTreeMap::<String, Scalar>::deserialize(d)?;
        Ok(scalars.into_iter().map(|(name, scalar)| (name, scalar.0)).collect())
    }
}

/// Text, a number or a boolean, as text.
struct Scalar(String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Scalar, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl Visitor<'_> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a single value")
    }
    fn visit_str<E>(self, value: &str) -> Result<Scalar, E> {
        Ok(Scalar(value.to_owned()))
    }
    fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar(value.to_string()))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
        Ok(Scalar(value.to_string()))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
        Ok(Scalar(value.to_string()))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
        Ok(Scalar(value.to_string()))
    }
}
