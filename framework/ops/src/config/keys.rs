//! The keys there are: read off the defaults, so that there is no second list to keep.

use serde_json::{Map, Value};

use super::nearest::nearest;
use super::settings::Settings;

/// The section whose keys are librdkafka's and are passed on unread.
pub(super) const PASS_THROUGH: &str = "kafka.rdkafka";

/// Every key with its default, sorted. `null` is an optional value that is not set.
pub(super) fn defaults() -> Vec<(String, Value)> {
    let mut leaves = Vec::new();
    flatten("", &tree(&Settings::default()), &mut leaves);
    leaves.sort_by(|a, b| a.0.cmp(&b.0));
    leaves
}

/// Whether the key is one of ours or an option of librdkafka.
pub(super) fn is_known(key: &str) -> bool {
    option_name(key).is_some() || defaults().iter().any(|(known, _)| known == key)
}

/// The key that was probably meant. A dotted name right under `kafka` can only be meant for librdkafka.
pub(super) fn suggestion(wrong: &str) -> String {
    if let Some((section, name)) = wrong.strip_prefix("kafka.").and_then(|rest| rest.split_once('.')) {
        let option = if section.starts_with("rd") { String::from(name) } else { format!("{section}.{name}") };
        return format!("{PASS_THROUGH}.{option}");
    }
    let defaults = defaults();
    let mut known = defaults.iter().map(|(known, _)| known.as_str());
    // Half a name, or a name written out, is many edits away from what was meant.
    let cut = known.clone().find(|known| known.starts_with(wrong) || wrong.starts_with(known));
    cut.or_else(|| nearest(wrong, &mut known)).unwrap_or_default().to_owned()
}

/// Settings as a JSON tree.
pub(super) fn tree(settings: &Settings) -> Value {
    // Settings are strings and maps of strings: nothing in them can fail to become JSON.
    serde_json::to_value(settings).unwrap_or_default()
}

/// Appends the leaves of a tree under their flat keys. An empty table has none.
pub(super) fn flatten(prefix: &str, value: &Value, leaves: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(table) => {
            for (name, value) in table {
                let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                flatten(&key, value, leaves);
            }
        }
        leaf => leaves.push((prefix.to_owned(), leaf.clone())),
    }
}

/// Puts a leaf into a tree. Ours are split at their dots, librdkafka's names are kept whole.
pub(super) fn insert(tree: &mut Value, key: &str, leaf: Value) {
    let path: Vec<&str> = match option_name(key) {
        Some(name) => PASS_THROUGH.split('.').chain([name]).collect(),
        None => key.split('.').collect(),
    };
    let mut place = tree;
    for name in path {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = &mut place[name];
    }
    *place = leaf;
}

/// `security.protocol` of `kafka.rdkafka.security.protocol`.
pub(super) fn option_name(key: &str) -> Option<&str> {
    key.strip_prefix(PASS_THROUGH)?.strip_prefix('.').filter(|name| !name.is_empty())
}
