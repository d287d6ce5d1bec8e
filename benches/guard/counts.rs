use std::collections::BTreeMap;

/// Allocations may differ by this share, the rest not at all. Two runs of the same program differ by none; another compiler or another version
/// of a library may grow a vector in another way.
const ALLOCATIONS_TOLERANCE: f64 = 0.01;
pub(crate) const ALLOCATIONS: &str = "allocations";

/// By workload, and by what was counted: how many there were in the whole run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts(pub(crate) BTreeMap<String, BTreeMap<String, u64>>);

impl Counts {
    pub(crate) fn from_json(text: &str) -> Result<Counts, String> {
        serde_json::from_str(text).map(Counts).map_err(|error| error.to_string())
    }

    pub(crate) fn to_json(&self) -> String {
        // Numbers under names: they can be written.
        serde_json::to_string_pretty(&self.0).unwrap_or_default() + "\n"
    }

    /// Per 1,000 records, as Markdown.
    pub(crate) fn table(&self) -> String {
        let mut text = "| per 1,000 records | counted | |\n| --- | --- | --- |\n".to_owned();
        for (workload, counts) in &self.0 {
            for (what, count) in counts {
                text += &format!("| {workload} | {what} | {:.1} |\n", *count as f64 * 1e3 / super::run::RECORDS as f64);
            }
        }
        text
    }

    /// In words, what these found are not as they were committed.
    pub(crate) fn differences(&self, found: &Counts) -> Vec<String> {
        let mut differences = Vec::new();
        for (workload, committed) in &self.0 {
            let nothing = BTreeMap::new();
            let found = found.0.get(workload).unwrap_or(&nothing);
            for what in committed.keys().chain(found.keys().filter(|what| !committed.contains_key(*what))) {
                let [before, now] = [committed, found].map(|counts| counts.get(what).copied().unwrap_or_default());
                let allowed = if what == ALLOCATIONS { before as f64 * ALLOCATIONS_TOLERANCE } else { 0.0 };
                if before.abs_diff(now) as f64 > allowed {
                    let change = (now as f64 / before.max(1) as f64 - 1.0) * 100.0;
                    differences.push(format!("{workload}: {what}: {now} instead of {before} ({change:+.2} %)"));
                }
            }
        }
        let unknown = found.0.keys().filter(|workload| !self.0.contains_key(*workload));
        differences.extend(unknown.map(|workload| format!("{workload}: not committed")));
        differences
    }
}
