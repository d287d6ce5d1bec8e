use super::Rule;
use crate::tidy::{Finding, Tree};

pub(super) const RULE: Rule = Rule {
    name: "the core does no I/O",
    reason: "in framework/core time is an argument, the world is behind ports, and effects are values: only so are the simulator, the test \
             driver, a replay and the live run the same engine",
    check,
};

const CORE: &str = "framework/core/src";
const BANNED: [&str; 13] = [
    "std::env",
    "std::fs",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "thread_local",
    "Instant",
    "SystemTime",
    "tokio",
    "rdkafka",
    "rocksdb",
    "tracing",
];

fn check(tree: &Tree) -> Vec<Finding> {
    let core = tree.rust().filter(|file| file.is_in(&[CORE]));
    core.flat_map(|file| {
        let named = BANNED.iter().flat_map(|name| file.lines_naming(name).into_iter().map(move |line| (name, line)));
        named.map(|(name, line)| Finding::new(file.path(), line, format!("names {name}"))).collect::<Vec<_>>()
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::rules::check;

    #[test]
    fn finds_a_clock_and_a_thread() {
        let text = "//! No std::fs here.\nuse std::{\n    thread,\n    time::{Duration, Instant},\n};\nfn f() { std::fs::read(\"tokio\") }\n";
        check(
            &RULE,
            &[("framework/core/src/a.rs", text), ("framework/runtime/src/a.rs", text)],
            &[
                "framework/core/src/a.rs:6: names std::fs",
                "framework/core/src/a.rs:3: names std::thread",
                "framework/core/src/a.rs:4: names Instant",
            ],
        );
    }
}
