//! Holds what a run wrote against the [`oracle`](crate::oracle).

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::oracle::Expected;
use crate::outputs::Outputs;

/// Differences shown per output; the rest is only counted.
const SHOWN: usize = 10;

/// The verdict on all three outputs. Displays as one line per output, and the differences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// `flights.hourly`.
    pub hourly: Verdict,
    /// `flights.carriers`.
    pub carriers: Verdict,
    /// `flights.grounded`.
    pub grounded: Verdict,
}

/// The verdict on one output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What is compared, in the plural.
    pub what: &'static str,
    /// Results expected.
    pub expected: usize,
    /// Results found once and equal.
    pub equal: usize,
    /// One sentence for each result that is missing, different, unexpected or there twice.
    pub differences: Vec<String>,
}

/// Compares all three outputs.
pub fn compare(outputs: &Outputs, expected: &Expected) -> Comparison {
    let grounded = outputs.grounded.iter().map(|(_, value)| value.as_slice());
    Comparison {
        hourly: verdict(
            "origin-hours",
            outputs.hourly.values().map(Vec::as_slice),
            &expected.hourly,
            |v| pair(v, "origin", "window_start"),
            |(origin, hour)| format!("{origin} at {hour}"),
        ),
        carriers: verdict(
            "carriers",
            outputs.carriers.values().map(Vec::as_slice),
            &expected.carriers,
            |v| Some(v["carrier"].as_str()?.to_owned()),
            String::clone,
        ),
        grounded: verdict(
            "groundings",
            grounded,
            &expected.grounded,
            |v| pair(v, "tailnum", "last_seen"),
            |(tailnum, last_seen)| format!("{tailnum} last seen {last_seen}"),
        ),
    }
}

fn pair(value: &Value, first: &str, second: &str) -> Option<(String, String)> {
    Some((value[first].as_str()?.to_owned(), value[second].as_str()?.to_owned()))
}

/// Results are told apart by what their values say, not by the topic's keys: two keys for the same result show up as
/// a result that is there twice.
fn verdict<'a, K: Ord>(
    what: &'static str,
    values: impl Iterator<Item = &'a [u8]>,
    expected: &BTreeMap<K, Value>,
    identity: impl Fn(&Value) -> Option<K>,
    name: impl Fn(&K) -> String,
) -> Verdict {
    let mut differences = Vec::new();
    let mut found: BTreeMap<K, Vec<Value>> = BTreeMap::new();
    for value in values {
        let parsed = serde_json::from_slice::<Value>(value).ok();
        match parsed.and_then(|value| Some((identity(&value)?, value))) {
            Some((key, value)) => found.entry(key).or_default().push(value),
            None => differences.push(format!("unreadable: {}", String::from_utf8_lossy(value))),
        }
    }
    let mut equal = 0;
    for (key, expected) in expected {
        match found.remove(key).as_deref() {
            None => differences.push(format!("missing: {}", name(key))),
            Some([value]) if value == expected => equal += 1,
            Some([value]) => differences.push(format!("different: {}: {}", name(key), fields(value, expected))),
            Some(values) => differences.push(format!("there {} times: {}", values.len(), name(key))),
        }
    }
    differences.extend(found.keys().map(|key| format!("unexpected: {}", name(key))));
    Verdict { what, expected: expected.len(), equal, differences }
}

/// The fields in which two records differ: `departures 3, expected 4`.
fn fields(value: &Value, expected: &Value) -> String {
    let names = |v: &Value| v.as_object().map(|o| o.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    let mut all = names(expected);
    all.extend(names(value).into_iter().filter(|name| expected.get(name).is_none()));
    let show = |v: Option<&Value>| v.map_or_else(|| "absent".to_owned(), Value::to_string);
    let differing = all.iter().filter(|name| value.get(name) != expected.get(name));
    let shown: Vec<String> =
        differing.map(|name| format!("{name} {}, expected {}", show(value.get(name)), show(expected.get(name)))).collect();
    shown.join("; ")
}

impl Verdict {
    /// Whether every expected result is there, once and equal, and no other.
    pub fn is_equal(&self) -> bool {
        self.differences.is_empty() && self.equal == self.expected
    }
}

impl Comparison {
    /// The three verdicts.
    pub fn verdicts(&self) -> [&Verdict; 3] {
        [&self.hourly, &self.carriers, &self.grounded]
    }

    /// Whether all three outputs are as expected.
    pub fn is_equal(&self) -> bool {
        self.verdicts().iter().all(|verdict| verdict.is_equal())
    }
}

/// `21148 of 21148 origin-hours equal`, then what differs.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} {} equal", self.equal, self.expected, self.what)?;
        for difference in self.differences.iter().take(SHOWN) {
            write!(f, "\n  {difference}")?;
        }
        match self.differences.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [hourly, carriers, grounded] = self.verdicts();
        write!(f, "{hourly}\n{carriers}\n{grounded}")
    }
}

#[cfg(test)]
#[path = "compare/tests.rs"]
mod tests;
