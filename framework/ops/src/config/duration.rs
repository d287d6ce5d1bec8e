use std::time::Duration;

use super::text::Text;

/// Units and their milliseconds, largest first: the first that divides a duration is the one it is written in.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

const EXPECTED: &str = "expected a duration with a unit, such as 100ms, 30s, 2m or 1h";

/// A whole number and a unit: `100ms`, `30s`, `2m`, `1h`, `7d`. A number without a unit is refused, because a
/// wrong guess would be off by a factor of a thousand.
impl Text for Duration {
    fn parse(text: &str) -> Result<Duration, String> {
        let text = text.trim();
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let unit = unit.trim();
        let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(EXPECTED)?;
        let number: u64 = number.parse().map_err(|_| EXPECTED)?;
        match number.checked_mul(*millis) {
            None => Err(format!("{EXPECTED}; this is longer than can be counted")),
            Some(0) => Err(format!("{EXPECTED}; it must be longer than zero")),
            Some(millis) => Ok(Duration::from_millis(millis)),
        }
    }

    fn write(&self) -> String {
        let millis = u64::try_from(self.as_millis()).unwrap_or(u64::MAX);
        let (unit, size) = UNITS.iter().find(|(_, size)| millis % size == 0).unwrap_or(&("ms", 1));
        format!("{}{unit}", millis / size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_back() {
        for (text, millis) in
            [("100ms", 100), ("30s", 30_000), ("2m", 120_000), ("1h", 3_600_000), ("90s", 90_000), ("7d", 604_800_000)]
        {
            let parsed = Duration::parse(text).unwrap();
            assert_eq!(parsed, Duration::from_millis(millis));
            assert_eq!(parsed.write(), text);
        }
        assert_eq!(Duration::parse(" 5 s "), Ok(Duration::from_secs(5)));
    }

    #[test]
    fn refuses_what_it_would_have_to_guess() {
        for text in ["", "100", "ms", "1.5s", "-1s", "1 hour", "1s2m"] {
            assert_eq!(Duration::parse(text).unwrap_err(), EXPECTED, "{text:?}");
        }
        assert!(Duration::parse("99999999999999999999ms").is_err());
        assert!(Duration::parse("999999999999999999h").unwrap_err().ends_with("longer than can be counted"));
        assert!(Duration::parse("0s").unwrap_err().ends_with("longer than zero"));
    }
}
