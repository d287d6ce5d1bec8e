use super::Rule;
use crate::tidy::{Finding, Tree};

pub(super) const RULE: Rule = Rule {
    name: "lib.rs is a table of contents",
    reason: "whoever opens a crate reads lib.rs first: what it is for, its modules, what it offers. Code goes into a module",
    check,
};

const LINES_MAX: usize = 119;

fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust()
        .filter(|file| file.path().ends_with("/src/lib.rs"))
        .map(|file| (file, file.text().lines().count()))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(file, lines)| Finding::new(file.path(), LINES_MAX + 1, format!("{lines} lines")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::rules::check;

    #[test]
    fn finds_a_long_lib() {
        let over = "\n".repeat(LINES_MAX + 1);
        check(&RULE, &[("a/src/lib.rs", &over), ("a/src/b.rs", &over)], &["a/src/lib.rs:120: 120 lines"]);
    }
}
