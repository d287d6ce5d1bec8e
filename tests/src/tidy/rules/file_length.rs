use super::Rule;
use crate::tidy::{Finding, Tree};

pub(super) const RULE: Rule = Rule {
    name: "no file is over 500 lines",
    reason: "one idea per file, tests included. Find the second idea and give it its own",
    check,
};

const LINES_MAX: usize = 500;

fn check(tree: &Tree) -> Vec<Finding> {
    let handwritten = tree.files().filter(|file| file.is_rust() || file.path().ends_with(".sh"));
    handwritten
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
    fn finds_a_long_file() {
        let (at, over) = ("\n".repeat(LINES_MAX), "\n".repeat(LINES_MAX + 1));
        check(&RULE, &[("a.rs", &at), ("b.rs", &over)], &["b.rs:501: 501 lines"]);
    }
}
