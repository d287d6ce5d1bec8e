//! Telling code from what is only quoted: comments and literals become blanks.

/// The text with a blank for every character of a comment or literal. Lines stay where they are, and so does every byte of code.
pub(super) fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let quoted = match quoted_len(rest) {
            // `r"` begins a raw string, but not at the end of a name.
            Some(len) if !(first.is_alphabetic() && masked.ends_with(is_name)) => len,
            _ => {
                masked.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            }
        };
        masked.extend(rest[..quoted].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        rest = &rest[quoted..];
    }
    masked
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The length of the comment or literal that `text` begins with, if it begins with one.
fn quoted_len(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(block_comment_len(text));
    }
    if text.starts_with('\'') {
        return char_len(text);
    }
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        let after = text.strip_prefix(prefix).unwrap_or_default();
        after.starts_with('"')
            || (prefix.ends_with('r') && after.trim_start_matches('#').starts_with('"') && after.starts_with('#'))
    })?;
    let literal = &text[prefix.len()..];
    let len = if prefix.ends_with('r') { raw_string_len(literal) } else { string_len(literal) };
    Some(prefix.len() + len)
}

fn block_comment_len(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// None for a lifetime.
fn char_len(text: &str) -> Option<usize> {
    let inner = &text[1..];
    if inner.starts_with('\\') {
        // The escaped character may itself be a quote.
        return inner.get(2..)?.find('\'').map(|end| end + 4);
    }
    let character = inner.chars().next()?;
    inner[character.len_utf8()..].starts_with('\'').then_some(character.len_utf8() + 2)
}

fn string_len(literal: &str) -> usize {
    let mut escaped = false;
    for (position, byte) in literal.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return position + 1,
            _ => {}
        }
    }
    literal.len()
}

fn raw_string_len(literal: &str) -> usize {
    let hashes = literal.len() - literal.trim_start_matches('#').len();
    let end = format!("\"{}", "#".repeat(hashes));
    literal[hashes + 1..].find(&end).map_or(literal.len(), |position| hashes + 1 + position + end.len())
}

#[cfg(test)]
mod tests {
    use super::mask;

    fn check(text: &str, code: &str) {
        let masked = mask(text);
        assert_eq!(masked.len(), text.len());
        assert_eq!(masked.split_whitespace().collect::<Vec<_>>().join(" "), code, "{text}");
    }

    #[test]
    fn blanks_what_is_only_quoted() {
        check("a // b\nc", "a c");
        check("a /* b /* c */ d */ e", "a e");
        check(r#"f("a \" b", 'c', '\'', '\u{1F600}') as &'static str"#, "f( , , , ) as &'static str");
        check(r###"r#"a " b"# + br"c\" + b"d" + c"e" + r"f""###, "+ + + +");
        check(r#"for"a""#, "for");
        check("let é = \"é\"; x", "let é = ; x");
    }

    #[test]
    fn keeps_lines() {
        assert_eq!(mask("a \"b\nc\" d\n/* e\n*/ f").lines().count(), 4);
    }
}
