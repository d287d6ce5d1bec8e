//! What a field of a CSV file is in JSON.

/// Whether the text is a number as JSON writes it. `007`, `+1`, `1.` and `.5` are none: they are names as often as numbers.
pub(crate) fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_whole = digits(whole) && (whole == "0" || !whole.starts_with('0'));
    let is_exponent = |text: &str| digits(text.strip_prefix(['+', '-']).unwrap_or(text));
    is_whole && fraction.is_none_or(digits) && exponent.is_none_or(is_exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_what_json_takes_for_one() {
        for number in ["0", "-0", "7", "1545", "-2.5", "0.25", "1e5", "1.5E-3", "2e+7", "123456789012345678901234567890"] {
            assert!(is_number(number), "{number}");
            assert!(serde_json::from_str::<serde_json::Value>(number).is_ok(), "{number}");
        }
        for other in
            ["", "-", "007", "+1", "1.", ".5", "1e", "1e+", "0x1F", "1,5", "NaN", "inf", " 1", "1 ", "--1", "1-2", "1.2.3"]
        {
            assert!(!is_number(other), "{other}");
        }
    }
}
