//! What `use` declarations bring in, with their braces written out: `use std::{fs, io::Read}` is `std::fs` and `std::io::Read`.

use super::source::line_of;

/// The paths and their lines, counted from 1, of masked code.
pub(super) fn of(code: &str) -> Vec<(usize, String)> {
    let mut paths = Vec::new();
    for (start, _) in code.match_indices("use ") {
        let begins_an_item = code[..start].trim_end().chars().next_back().is_none_or(|before| ";{})]".contains(before));
        if begins_an_item || code[..start].trim_end().ends_with("pub") {
            let from = start + "use ".len();
            let end = code[from..].find(';').map_or(code.len(), |length| from + length);
            expand(code, from, end, "", &mut paths);
        }
    }
    paths
}

/// Expands one tree, `code[from..end]`, below a prefix.
fn expand(code: &str, from: usize, end: usize, prefix: &str, paths: &mut Vec<(usize, String)>) {
    let tree = &code[from..end];
    let Some(open) = tree.find('{') else {
        let path = tree.split(" as ").next().unwrap_or(tree).trim();
        if !path.is_empty() {
            let position = from + (tree.len() - tree.trim_start().len());
            paths.push((line_of(code, position), format!("{prefix}{path}")));
        }
        return;
    };
    let prefix = format!("{prefix}{}", tree[..open].trim());
    let close = tree.rfind('}').unwrap_or(tree.len());
    let (mut depth, mut branch) = (0_usize, from + open + 1);
    for (position, character) in code[branch..from + close].char_indices().map(|(at, c)| (from + open + 1 + at, c)) {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                expand(code, branch, position, &prefix, paths);
                branch = position + 1;
            }
            _ => {}
        }
    }
    expand(code, branch, from + close, &prefix, paths);
}

#[cfg(test)]
mod tests {
    use super::of;

    fn check(code: &str, expected: &[(usize, &str)]) {
        let found = of(code);
        assert_eq!(found.iter().map(|(line, path)| (*line, path.as_str())).collect::<Vec<_>>(), expected, "{code}");
    }

    #[test]
    fn writes_braces_out() {
        check("use std::fs;\npub use a::b as c;", &[(1, "std::fs"), (2, "a::b")]);
        check("use std::{\n    fs,\n    io::{self, Read},\n};\n", &[(2, "std::fs"), (3, "std::io::self"), (3, "std::io::Read")]);
        check("fn f() -> impl Iterator<Item = ()> + use<'c> {}", &[]);
    }
}
