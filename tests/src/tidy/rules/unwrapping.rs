use super::Rule;
use crate::tidy::{Finding, Source, Tree};

// Not clippy's `unwrap_used`: that one takes the functions which tests share for code that is not a test.
pub(super) const RULE: Rule = Rule {
    name: "no unwrap outside tests",
    reason: "a service that panics owes its operator a sentence. Return the error; where it cannot happen, `expect` says why",
    check,
};

const UNWRAPS: [&str; 2] = [".unwrap()", ".unwrap_err()"];

fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust().flat_map(of_file).collect()
}

fn of_file(file: &Source) -> Vec<Finding> {
    let unwraps = UNWRAPS.iter().flat_map(|call| file.lines_naming(call).into_iter().map(move |line| (call, line)));
    unwraps.filter(|(_, line)| !file.is_test(*line)).map(|(call, line)| Finding::new(file.path(), line, *call)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::rules::check;

    #[test]
    fn finds_an_unwrap_outside_tests() {
        let text = "//! `.unwrap()`\nfn f() { g().unwrap_or(1); g()\n    .unwrap() }\n#[cfg(test)]\nmod tests {\n    fn h() { g().unwrap() }\n}\n";
        let files = [("framework/core/src/a.rs", text), ("framework/core/src/a_tests.rs", text), ("tests/src/a.rs", text)];
        check(&RULE, &files, &["framework/core/src/a.rs:3: .unwrap()"]);
    }
}
