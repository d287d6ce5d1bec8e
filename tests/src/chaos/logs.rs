use std::fs;
use std::path::Path;

/// What is counted in the logs of the application's processes, and the words it is known by.
const COUNTED: [(&str, &str); 4] = [
    ("tasks taken over", "taking task over"),
    ("transactions aborted", "transaction aborted"),
    ("members put out of the group", "the group put this member out"),
    ("errors in the logs", " ERROR "),
];

/// Counts over all logs in a directory.
pub(super) fn count(directory: &Path) -> Vec<(&'static str, String)> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let texts: Vec<String> = entries.filter_map(|entry| fs::read_to_string(entry.path()).ok()).collect();
    let lines = |words: &str| texts.iter().flat_map(|text| text.lines()).filter(|line| line.contains(words)).count();
    COUNTED.iter().map(|(fact, words)| (*fact, lines(words).to_string())).collect()
}
