//! What the `config` command shows.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::layers::EffectiveValue;

/// One line per value: key, value, where it came from.
pub fn to_text(values: &[EffectiveValue]) -> String {
    let shown = |value: &EffectiveValue| value.value.clone().unwrap_or_else(|| String::from("-"));
    let keys = values.iter().map(|value| value.key.len()).max().unwrap_or(0);
    let widths = values.iter().map(|value| shown(value).len()).max().unwrap_or(0);
    let mut text = String::new();
    for value in values {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:keys$}  {:widths$}  {}", value.key, shown(value), value.origin);
    }
    text
}

/// An array of `{"key", "value", "from"}`; a value that is not set is `null`.
pub fn to_json(values: &[EffectiveValue]) -> Value {
    let rows = values.iter().map(|value| json!({"key": value.key, "value": value.value, "from": value.origin.to_string()}));
    rows.collect()
}
