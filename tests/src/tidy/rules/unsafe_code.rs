use super::Rule;
use crate::tidy::{Finding, Tree};

pub(super) const RULE: Rule = Rule {
    name: "unsafe only towards librdkafka",
    reason: "memory safety is argued for in one small module, framework/kafka/src/native, where every block says why it holds; the bare loop that \
             benches compare with has one like it",
    check,
};

const PLACES: [&str; 2] = ["framework/kafka/src/native", "benches/ceiling/native.rs"];

fn check(tree: &Tree) -> Vec<Finding> {
    let outside = tree.rust().filter(|file| !file.is_in(&PLACES));
    outside
        .flat_map(|file| file.lines_naming("unsafe").into_iter().map(|line| Finding::new(file.path(), line, "unsafe code")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::rules::check;

    #[test]
    fn finds_unsafe_outside_the_module() {
        let text = "// unsafe\n#![forbid(unsafe_code)]\nfn f() { unsafe { g() } }\n";
        let files = [
            ("benches/ceiling/native.rs", text),
            ("framework/kafka/src/native/mod.rs", text),
            ("framework/kafka/src/reader.rs", text),
        ];
        check(&RULE, &files, &["framework/kafka/src/reader.rs:3: unsafe code"]);
    }
}
