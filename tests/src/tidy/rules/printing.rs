use super::Rule;
use crate::tidy::{Finding, Source, Tree};

pub(super) const RULE: Rule = Rule {
    name: "libraries do not print",
    reason: "standard output belongs to the command's result, and what a service has to say goes through `tracing`, where it has a level and \
             a format. Only the command line and its progress bars in framework/ops print",
    check,
};

const MAY_PRINT: [&str; 2] = ["framework/ops/src/cli", "framework/ops/src/progress"];
const PRINTING: [&str; 5] = ["println!", "print!", "eprintln!", "eprint!", "dbg!"];

fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust().filter(|file| file.is_in(&["framework"]) && !file.is_in(&MAY_PRINT)).flat_map(of_file).collect()
}

fn of_file(file: &Source) -> Vec<Finding> {
    let printing = PRINTING.iter().flat_map(|name| file.lines_naming(name).into_iter().map(move |line| (name, line)));
    // A test's output is shown when it fails.
    printing.filter(|(_, line)| !file.is_test(*line)).map(|(name, line)| Finding::new(file.path(), line, *name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::rules::check;

    #[test]
    fn finds_a_print_outside_the_command_line() {
        let text = "/// `println!`\nfn f() { println!() }\n#[cfg(test)]\nmod tests {\n    fn g() { dbg!(1) }\n}\n";
        let files = [("framework/core/src/a.rs", text), ("framework/ops/src/cli/a.rs", text), ("apps/a/src/main.rs", text)];
        check(&RULE, &files, &["framework/core/src/a.rs:2: println!"]);
    }
}
