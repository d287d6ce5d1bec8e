use super::Rule;
use crate::tidy::source::{item_end, line_of};
use crate::tidy::{Finding, Source, Tree};

pub(super) const RULE: Rule = Rule {
    name: "no function is over 70 lines",
    reason: "a function is read in one look: push the ifs up and the fors down, and name the steps. Tables belong into constants",
    check,
};

const LINES_MAX: usize = 70;

fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust().flat_map(long_functions).collect()
}

fn long_functions(file: &Source) -> Vec<Finding> {
    let code = file.code();
    let functions = code.match_indices("fn ").filter_map(|(start, _)| {
        let own_word = !code[..start].ends_with(|before: char| before.is_alphanumeric() || before == '_');
        let name: String = code[start + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        (own_word && !name.is_empty()).then_some((start, name))
    });
    let measured = functions.map(|(start, name)| {
        let (first, last) = (line_of(code, start), line_of(code, item_end(code, start)));
        (first, last - first + 1, name)
    });
    measured
        .filter(|(_, lines, _)| *lines > LINES_MAX)
        .map(|(first, lines, name)| Finding::new(file.path(), first, format!("fn {name} has {lines} lines")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::rules::check;

    fn function(name: &str, lines: usize) -> String {
        format!("fn {name}(f: fn (u8), a: [u8; 2]) {{\n{}}}\n", "    \"}\";\n".repeat(lines - 2))
    }

    #[test]
    fn finds_a_long_function() {
        let text =
            format!("trait T {{ fn declared(); }}\n{}{}", function("fits", LINES_MAX), function("does_not", LINES_MAX + 1));
        check(&RULE, &[("a.rs", &text)], &["a.rs:72: fn does_not has 71 lines"]);
    }
}
