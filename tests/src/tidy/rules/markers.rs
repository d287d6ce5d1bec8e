use super::Rule;
use crate::tidy::{Finding, Source, Tree};

pub(super) const RULE: Rule = Rule {
    name: "nothing is left for later",
    reason: "a marker is a promise that nobody keeps. Do it now, or write down as a decision that it is not done",
    check,
};

/// In code.
const MACROS: [&str; 2] = ["todo!", "unimplemented!"];
/// Anywhere. In halves, so that this file keeps its own rule.
const WORDS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

fn check(tree: &Tree) -> Vec<Finding> {
    tree.files().flat_map(of_file).collect()
}

fn of_file(file: &Source) -> Vec<Finding> {
    let macros = MACROS.iter().flat_map(|name| file.lines_naming(name).into_iter().map(move |line| (name, line)));
    let words = WORDS.iter().flat_map(|word| file.lines_mentioning(word).into_iter().map(move |line| (word, line)));
    macros.chain(words).map(|(marker, line)| Finding::new(file.path(), line, *marker)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::rules::check;

    #[test]
    fn finds_markers_in_code_comments_and_prose() {
        let [first, second, third] = WORDS;
        let code = format!("fn f() {{ todo!() }} // not: todo!\n// {first}: more\nconst METHODS: u8 = 1;\n");
        let prose = format!("Nothing here.\n{second} {third}{third}\n");
        check(
            &RULE,
            &[("a.rs", &code), ("b.md", &prose)],
            &["a.rs:1: todo!", &format!("a.rs:2: {first}"), &format!("b.md:2: {second}")],
        );
    }
}
