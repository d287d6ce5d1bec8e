//! Finding a word, or a path of words, that is not part of a longer one.

/// The lines, counted from 1, of a text that contain the word.
pub(super) fn lines(text: &str, word: &str) -> impl Iterator<Item = usize> {
    text.lines().enumerate().filter(move |(_, line)| contains(line, word)).map(|(number, _)| number + 1)
}

/// Whether the text contains the word.
pub(super) fn contains(text: &str, word: &str) -> bool {
    let part_of_a_name = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(word).any(|(start, found)| {
        let before = text[..start].chars().next_back().is_some_and(part_of_a_name) && word.starts_with(part_of_a_name);
        let after = text[start + found.len()..].chars().next().is_some_and(part_of_a_name) && word.ends_with(part_of_a_name);
        !before && !after
    })
}

#[cfg(test)]
mod tests {
    use super::contains;

    #[test]
    fn finds_whole_words_only() {
        assert!(contains("std::thread::sleep(x)", "thread::sleep"));
        assert!(contains("unsafe{", "unsafe"));
        assert!(contains("dbg!(x)", "dbg!"));
        assert!(!contains("#![forbid(unsafe_code)]", "unsafe"));
        assert!(!contains("eprintln!()", "println!"));
    }
}
