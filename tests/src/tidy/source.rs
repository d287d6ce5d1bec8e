use super::mask::mask;
use super::{use_paths, words};

/// One file of the repository.
#[derive(Debug, Clone)]
pub struct Source {
    path: String,
    text: String,
    /// For Rust: the text with blanks for comments and literals. Lines and columns are the same.
    code: String,
}

impl Source {
    pub(super) fn new(path: String, text: String) -> Source {
        let code = if path.ends_with(".rs") { mask(&text) } else { String::new() };
        Source { path, text, code }
    }

    /// From the repository's root, with `/`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// All of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The code alone; empty unless it is Rust.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Whether it is Rust.
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether it lies below one of these directories, or is one of these files.
    pub fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| self.path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    }

    /// Lines, counted from 1, in which the code has this word or path: `thread::sleep` in full or brought in by a `use`.
    pub(super) fn lines_naming(&self, path: &str) -> Vec<usize> {
        let written = words::lines(&self.code, path);
        let used = use_paths::of(&self.code).into_iter().filter(|(_, used)| words::contains(used, path)).map(|(line, _)| line);
        let mut lines: Vec<usize> = written.chain(used).collect();
        lines.sort_unstable();
        lines.dedup();
        lines
    }

    /// Lines, counted from 1, of the text with this word, comments and literals included.
    pub(super) fn lines_mentioning(&self, word: &str) -> Vec<usize> {
        words::lines(&self.text, word).collect()
    }

    /// Whether a line belongs to tests: the file is one of a test, or the line is in an item under `#[cfg(test)]`.
    pub(super) fn is_test(&self, line: usize) -> bool {
        let file = self.path.rsplit('/').next().unwrap_or(&self.path);
        if self.path.contains("/tests/") || self.path.starts_with("tests/") || file == "tests.rs" || file.ends_with("_tests.rs") {
            return true;
        }
        self.code.match_indices("#[cfg(test)]").any(|(start, _)| {
            let end = item_end(&self.code, start);
            (line_of(&self.code, start)..=line_of(&self.code, end)).contains(&line)
        })
    }
}

/// The line, counted from 1, of a position in a text.
pub(super) fn line_of(text: &str, position: usize) -> usize {
    text[..position].matches('\n').count() + 1
}

/// Where an item ends that begins at `start`: its closing brace, or its semicolon if it has no body. Masked code only.
pub(super) fn item_end(code: &str, start: usize) -> usize {
    let (mut braces, mut brackets) = (0_usize, 0_usize);
    for (position, character) in code[start..].char_indices() {
        match character {
            '{' => braces += 1,
            '}' if braces <= 1 => return start + position,
            '}' => braces -= 1,
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets = brackets.saturating_sub(1),
            ';' if braces == 0 && brackets == 0 => return start + position,
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_tests_from_the_rest() {
        let text =
            "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { [0; 2]; }\n}\nfn c() {}\n#[cfg(test)]\nmod more;\nfn d() {}\n";
        let source = Source::new("framework/core/src/a.rs".to_owned(), text.to_owned());
        let tests: Vec<usize> = (1..=9).filter(|line| source.is_test(*line)).collect();
        assert_eq!(tests, [2, 3, 4, 5, 7, 8]);
        assert!(Source::new("framework/store/tests/store/main.rs".to_owned(), text.to_owned()).is_test(1));
    }

    #[test]
    fn a_place_is_a_whole_name() {
        let source = Source::new("apps/flights/src/main.rs".to_owned(), String::new());
        assert!(source.is_in(&["apps"]) && source.is_in(&["apps/flights/src/main.rs"]));
        assert!(!source.is_in(&["app", "apps/flight"]));
    }
}
