use super::text::Text;

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(u64);

impl ByteSize {
    /// `n` times 1024 * 1024 bytes.
    pub const fn mebibytes(n: u64) -> ByteSize {
        ByteSize(n << 20)
    }

    /// A number of bytes.
    pub const fn of(bytes: u64) -> ByteSize {
        ByteSize(bytes)
    }

    /// The number.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

/// Suffixes and their factors; binary ones first and largest first, because sizes are written in the first that divides them.
/// `Ki`, `Mi`, `Gi` are how Kubernetes writes the same.
const UNITS: [(&[&str], u64); 9] = [
    (&["TiB", "Ti"], 1 << 40),
    (&["GiB", "Gi"], 1 << 30),
    (&["MiB", "Mi"], 1 << 20),
    (&["KiB", "Ki"], 1 << 10),
    (&["TB"], 1_000_000_000_000),
    (&["GB"], 1_000_000_000),
    (&["MB"], 1_000_000),
    (&["kB", "KB"], 1_000),
    (&["", "B"], 1),
];

const EXPECTED: &str = "expected a size such as 256MiB, 1GB or a number of bytes";

impl Text for ByteSize {
    fn parse(text: &str) -> Result<ByteSize, String> {
        let text = text.trim();
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let unit = unit.trim();
        let known = UNITS.iter().find(|(names, _)| names.iter().any(|name| name.eq_ignore_ascii_case(unit)));
        let (_, factor) = known.ok_or(EXPECTED)?;
        let number: u64 = number.parse().map_err(|_| EXPECTED)?;
        match number.checked_mul(*factor) {
            None => Err(format!("{EXPECTED}; this is more than can be counted")),
            Some(0) => Err(format!("{EXPECTED}; it must be more than zero")),
            Some(bytes) => Ok(ByteSize(bytes)),
        }
    }

    fn write(&self) -> String {
        let unit = UNITS.iter().find(|(_, factor)| self.0.is_multiple_of(*factor));
        let (name, factor) = unit.map_or(("", 1), |(names, factor)| (names[0], *factor));
        format!("{}{name}", self.0 / factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_back() {
        for (text, bytes) in
            [("256MiB", 256 << 20), ("1GB", 1_000_000_000), ("1048577", 1_048_577), ("2GiB", 2 << 30), ("3kB", 3_000)]
        {
            assert_eq!(ByteSize::parse(text), Ok(ByteSize(bytes)));
            assert_eq!(ByteSize(bytes).write(), text);
        }
        assert_eq!(ByteSize::parse("512Mi"), Ok(ByteSize::mebibytes(512)));
        assert_eq!(ByteSize::parse("64 mib"), Ok(ByteSize::mebibytes(64)));
        assert_eq!(ByteSize::parse("1048576"), Ok(ByteSize::mebibytes(1)));
    }

    #[test]
    fn refuses_the_rest() {
        for text in ["", "MiB", "1.5GiB", "-1", "12 parsecs"] {
            assert_eq!(ByteSize::parse(text).unwrap_err(), EXPECTED, "{text:?}");
        }
        assert!(ByteSize::parse("99999999TiB").unwrap_err().ends_with("more than can be counted"));
        assert!(ByteSize::parse("0").unwrap_err().ends_with("more than zero"));
    }
}
