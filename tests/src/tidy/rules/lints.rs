use super::Rule;
use crate::tidy::{Finding, Tree, manifest};

pub(super) const RULE: Rule = Rule {
    name: "every package has the workspace's lints",
    reason: "a package that does not ask for them is not checked, and nobody notices. Add `[lints]` with `workspace = true`",
    check,
};

fn check(tree: &Tree) -> Vec<Finding> {
    tree.manifests()
        .filter(|file| !manifest::has(file, "lints", "workspace", "true"))
        .map(|file| Finding::new(file.path(), 1, "does not take the lints of the workspace"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::rules::check;

    #[test]
    fn finds_a_package_without() {
        let files = [("a/Cargo.toml", "[lints]\nworkspace = true\n"), ("b/Cargo.toml", "[dependencies]\n")];
        check(&RULE, &files, &["b/Cargo.toml:1: does not take the lints of the workspace"]);
    }
}
