use super::Rule;
use crate::tidy::{Finding, Tree};

pub(super) const RULE: Rule = Rule {
    name: "no test is ignored",
    reason: "a test that does not run proves nothing and looks as if it did. Make it fast and steady enough to run always, or delete it",
    check,
};

fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust()
        .flat_map(|file| file.lines_naming("#[ignore").into_iter().map(|line| Finding::new(file.path(), line, "an ignored test")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::rules::check;

    #[test]
    fn finds_an_ignored_test() {
        let text = "#[test]\n#[ignore = \"slow\"]\nfn f() {}\n#[test]\n#[ignore]\nfn g() {}\n// #[ignore]\n";
        check(&RULE, &[("a.rs", text)], &["a.rs:2: an ignored test", "a.rs:5: an ignored test"]);
    }
}
