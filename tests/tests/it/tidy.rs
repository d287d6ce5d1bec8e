//! The repository keeps its own rules; each is explained in `tests/src/tidy/rules`.

use std::fmt::Write;
use std::path::Path;

use headwater_tests::tidy::{self, Tree};

#[test]
fn the_repository_keeps_its_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is one level below the root");
    let tree = Tree::read(root);
    let mut report = String::new();
    for rule in tidy::all() {
        let findings = (rule.check)(&tree);
        if findings.is_empty() {
            continue;
        }
        writeln!(report, "\n{}\n  {}", rule.name, rule.reason).expect("writing to a string");
        for finding in findings {
            writeln!(report, "    {finding}").expect("writing to a string");
        }
    }
    assert!(report.is_empty(), "the repository breaks rules of its own:\n{report}");
}
