//! Names of applications and tasks as names of directories: readable, reversible, and never a path out of the root.

use std::fmt::Write;

/// Keeps letters, digits, `_`, `-` and inner dots; writes every other byte as `%XX`. None for the empty name.
pub(super) fn encode(name: &str) -> Option<String> {
    let mut encoded = String::with_capacity(name.len());
    for (index, byte) in name.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => encoded.push(char::from(byte)),
            // Not the first: `.` and `..` are not ours, and hidden directories help nobody.
            b'.' if index > 0 => encoded.push('.'),
            _ => write!(encoded, "%{byte:02X}").ok()?,
        }
    }
    (!encoded.is_empty()).then_some(encoded)
}

/// The name that [`encode`] turned into this one; none if it did not.
pub(super) fn decode(encoded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().filter(|name| encode(name).as_deref() == Some(encoded))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_one_directory() {
        let cases = [
            ("by-origin_3", "by-origin_3"),
            ("flights.v2", "flights.v2"),
            ("..", "%2E."),
            ("a/b", "a%2Fb"),
            ("50%", "50%25"),
            ("zürich", "z%C3%BCrich"),
        ];
        for (name, directory) in cases {
            assert_eq!(encode(name).as_deref(), Some(directory));
            assert_eq!(decode(directory).as_deref(), Some(name));
        }
        assert_eq!(encode(""), None);
    }

    #[test]
    fn other_directories_are_nobodys() {
        for directory in ["", ".", "%", "%2", "%zz", "%41", "lost+found", "%FF"] {
            assert_eq!(decode(directory), None, "{directory:?}");
        }
    }
}
