use super::Rule;
use crate::tidy::{Finding, Source, Tree};

pub(super) const RULE: Rule = Rule {
    name: "nobody sleeps without a reason",
    reason: "a pause is too long on a fast machine and too short on a slow one: wait for a condition with a deadline. Where the pause itself \
             is the point, put the file into the rule's list with the reason",
    check,
};

/// Files that may sleep, and why.
const MAY_SLEEP: [(&str, &str); 8] = [
    ("apps/ledger/src/load.rs", "a rate is kept by waiting"),
    ("benches/macro/live/feed.rs", "a rate is kept by waiting"),
    ("framework/headwater/src/session.rs", "the pause between two looks at the backlog"),
    ("framework/kafka/src/error.rs", "the pause before the broker is asked again"),
    ("framework/runtime/src/control/mod.rs", "the pause before the control topic is written again, when others write to it too"),
    ("framework/runtime/src/worker_thread.rs", "the pause before a failed step is tried again"),
    ("tests/src/chaos/scenario.rs", "pauses between actions are what the scenario is made of"),
    ("tests/src/wait.rs", "the pause between two looks at a condition that has a deadline"),
];

fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust().flat_map(of_file).collect()
}

fn of_file(file: &Source) -> Vec<Finding> {
    let lines = file.lines_naming("thread::sleep");
    let may_sleep = MAY_SLEEP.iter().any(|(path, _)| *path == file.path());
    match (may_sleep, lines.is_empty()) {
        (true, true) => vec![Finding::new(file.path(), 1, "no longer sleeps: take it off the rule's list")],
        (true, false) => Vec::new(),
        (false, _) => lines.into_iter().map(|line| Finding::new(file.path(), line, "sleeps")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::rules::check;

    #[test]
    fn the_list_has_only_what_sleeps() {
        let says = "tests/src/wait.rs:1: no longer sleeps: take it off the rule's list";
        check(&RULE, &[("tests/src/wait.rs", "fn f() {}")], &[says]);
    }

    #[test]
    fn finds_a_pause_however_it_is_named() {
        let files = [
            ("a.rs", "fn f() {\n    std::thread::sleep(PAUSE);\n}\n"),
            ("b.rs", "use std::thread::{\n    self,\n    sleep,\n};\n"),
            ("tests/src/wait.rs", "fn f() { std::thread::sleep(PAUSE) }"),
        ];
        check(&RULE, &files, &["a.rs:2: sleeps", "b.rs:3: sleeps"]);
    }
}
